//! Tables as Parquet: row groups of bounded size, compressed with snappy, a dictionary for text.
//!
//! Each file says in its metadata under `gotrail.table` which table it is, and under `gotrail.schema_version` of which
//! [version](tables::VERSION).

mod chunk;
mod column;

use super::Make;
use crate::analysis::tables::{self, Cell, Sink, TRACE_ID, Table, Type};
use crate::model::Index;
use column::{Column, Filled, grows};
use crossbeam_channel::{Receiver, Sender, bounded};
use parquet::basic::{Compression, ConvertedType, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type as Schema};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Rows of a row group.
const GROUP: usize = 128 << 10;
/// Bytes of texts after which a row group is full, too.
const TEXTS: usize = 8 << 20;

/// The rows of one table that wait for their row group to be full.
struct File {
    columns: Vec<Column>,
    rows: usize,
    /// Bytes of their different texts.
    texts: usize,
    /// To the thread that encodes and writes, until it has all.
    to: Option<Sender<Group>>,
    writes: JoinHandle<Result<()>>,
}

/// A row group on its way there.
struct Group {
    rows: usize,
    columns: Vec<Filled>,
}

/// Takes rows, and writes them a row group at a time, each table on a thread of its own.
pub struct Parquet<'a> {
    index: &'a Index,
    files: BTreeMap<Table, File>,
    failed: bool,
}

fn io_error(e: parquet::errors::ParquetError) -> io::Error {
    match e {
        parquet::errors::ParquetError::External(e) => match e.downcast::<io::Error>() {
            Ok(e) => *e,
            Err(e) => io::Error::other(e),
        },
        e => io::Error::other(e),
    }
}

fn schema(t: Table) -> Result<Arc<Schema>, parquet::errors::ParquetError> {
    let mut fields = Vec::new();
    for c in std::iter::once(&TRACE_ID).chain(t.columns()) {
        let repetition = if c.name == TRACE_ID.name { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = match c.of {
            Type::Int => Schema::primitive_type_builder(c.name, Physical::INT64),
            Type::Bool => Schema::primitive_type_builder(c.name, Physical::BOOLEAN),
            Type::Text => Schema::primitive_type_builder(c.name, Physical::BYTE_ARRAY)
                .with_converted_type(ConvertedType::UTF8)
                .with_logical_type(Some(LogicalType::String)),
        };
        fields.push(Arc::new(field.with_repetition(repetition).build()?));
    }
    Ok(Arc::new(Schema::group_type_builder(t.name()).with_fields(fields).build()?))
}

fn properties(t: Table) -> WriterProperties {
    let said = |k: &str, v: String| KeyValue::new(k.to_owned(), Some(v));
    let mut builder = WriterProperties::builder();
    for c in t.columns().iter().filter(|c| grows(c)) {
        let path = ColumnPath::from(c.name);
        builder = builder.set_column_dictionary_enabled(path.clone(), false);
        builder = builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    builder
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("gotrail ", env!("CARGO_PKG_VERSION")).into())
        .set_key_value_metadata(Some(vec![
            said("gotrail.table", t.name().into()),
            said("gotrail.schema_version", tables::VERSION.to_string()),
        ]))
        .build()
}

impl<'a> Parquet<'a> {
    /// A writer of these tables of the trace of that id, into files that `make` makes.
    ///
    /// # Errors
    ///
    /// A file cannot be made.
    pub fn new((index, trace): (&'a Index, &str), tables: &[Table], make: &mut Make) -> io::Result<Parquet<'a>> {
        let mut files = BTreeMap::new();
        for &t in tables {
            let (schema, properties) = (schema(t).map_err(io_error)?, Arc::new(properties(t)));
            let writer = SerializedFileWriter::new(make(t)?, schema, properties).map_err(io_error)?;
            // One row group waits while another one is written.
            let (to, groups) = bounded(1);
            let trace = trace.to_owned();
            let writes = std::thread::spawn(move || write(writer, &trace, &groups));
            let columns = t.columns().iter().map(Column::new).collect();
            files.insert(t, File { columns, rows: 0, texts: 0, to: Some(to), writes });
        }
        Ok(Parquet { index, files, failed: false })
    }

    /// Writes what is left, and the end of each file.
    ///
    /// # Errors
    ///
    /// Something could not be written, now or before.
    pub fn finish(mut self) -> io::Result<()> {
        for f in self.files.values_mut() {
            f.flush(self.index);
            f.to = None;
        }
        for f in self.files.into_values() {
            match f.writes.join() {
                Ok(written) => written.map_err(io_error)?,
                Err(_) => return Err(io::Error::other("the thread that writes Parquet has failed")),
            }
        }
        Ok(())
    }
}

/// Writes row groups as they come, and the end of the file after the last.
fn write(mut writer: SerializedFileWriter<Box<dyn Write + Send>>, trace: &str, groups: &Receiver<Group>) -> Result<()> {
    let schema = writer.schema_descr().columns().to_vec();
    for g in groups {
        let mut group = writer.next_row_group()?;
        let id = Filled::texts(vec![0; g.rows], std::iter::once(trace));
        for (column, of) in std::iter::once(&id).chain(&g.columns).zip(&schema) {
            column.write(&mut group, of)?;
        }
        group.close()?;
    }
    Ok(writer.into_inner()?.flush()?)
}

impl File {
    /// Hands the rows at hand on as a row group; whether somebody takes them.
    fn flush(&mut self, index: &Index) -> bool {
        let rows = std::mem::take(&mut self.rows);
        self.texts = 0;
        let columns = self.columns.iter_mut().map(|c| c.take(index)).collect();
        rows == 0 || self.to.as_ref().is_some_and(|to| to.send(Group { rows, columns }).is_ok())
    }
}

impl Sink for Parquet<'_> {
    fn row(&mut self, table: Table, cells: &[Cell]) {
        let Some(file) = self.files.get_mut(&table).filter(|_| !self.failed) else { return };
        for (cell, column) in cells.iter().zip(&mut file.columns) {
            file.texts += column.push(cell, self.index);
        }
        file.rows += 1;
        if file.rows >= GROUP || file.texts >= TEXTS {
            self.failed |= !file.flush(self.index);
        }
    }

    fn full(&self) -> bool {
        self.failed
    }
}
