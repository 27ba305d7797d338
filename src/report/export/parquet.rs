//! Tables as Parquet: row groups of bounded size, compressed with snappy, a dictionary for text.
//!
//! Each file says in its metadata under `gotrail.table` which table it is, and under `gotrail.schema_version` of which
//! [version](tables::VERSION).

use super::Make;
use crate::analysis::tables::{self, Cell, Sink, TRACE_ID, Table, Type};
use crate::base::StringId;
use crate::model::Index;
use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type as Schema};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows of a row group.
const GROUP: usize = 128 << 10;
/// Different texts of the trace that are held for a row group at most; beyond, they are made anew.
const TEXTS: usize = 1 << 16;

/// The values of one column that wait for their row group to be full.
enum Values {
    Int(Vec<i64>),
    Bool(Vec<bool>),
    Text(Vec<ByteArray>),
}

struct Column {
    values: Values,
    /// Of each row, whether there is a value.
    present: Vec<i16>,
}

/// One table's file.
struct File {
    writer: SerializedFileWriter<Box<dyn Write + Send>>,
    columns: Vec<Column>,
    rows: usize,
}

/// Writes rows, a row group at a time.
pub struct Parquet<'a> {
    index: &'a Index,
    trace: ByteArray,
    texts: FxHashMap<StringId, ByteArray>,
    files: BTreeMap<Table, File>,
    failed: Option<io::Error>,
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
    // Numbers of events and instants are nearly all different, and grow: a dictionary of them is work for nothing.
    let grows =
        |c: &&tables::Column| c.of == Type::Int && (c.name.ends_with("_ns") || matches!(c.name, "no" | "value"));
    for c in t.columns().iter().filter(grows) {
        let path = ColumnPath::from(c.name);
        builder = builder.set_column_dictionary_enabled(path.clone(), false);
        builder = builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    // Between which two words the words of a row group lie leaves nothing out, and costs two comparisons a row.
    for c in t.columns().iter().filter(|c| c.of == Type::Text) {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(c.name), EnabledStatistics::None);
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
            let column = |c: &tables::Column| Column {
                values: match c.of {
                    Type::Int => Values::Int(Vec::new()),
                    Type::Bool => Values::Bool(Vec::new()),
                    Type::Text => Values::Text(Vec::new()),
                },
                present: Vec::new(),
            };
            files.insert(t, File { writer, columns: t.columns().iter().map(column).collect(), rows: 0 });
        }
        let trace = ByteArray::from(trace.as_bytes().to_vec());
        Ok(Parquet { index, trace, texts: FxHashMap::default(), files, failed: None })
    }

    /// Writes what is left, and the end of each file.
    ///
    /// # Errors
    ///
    /// Something could not be written, now or before.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(e) = self.failed.take() {
            return Err(e);
        }
        for f in self.files.values_mut() {
            f.flush(&self.trace).map_err(io_error)?;
        }
        for f in self.files.into_values() {
            f.writer.into_inner().map_err(io_error)?.flush()?;
        }
        Ok(())
    }
}

impl File {
    /// Writes the rows at hand as a row group.
    fn flush(&mut self, trace: &ByteArray) -> Result<(), parquet::errors::ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        if let Some(mut w) = group.next_column()? {
            w.typed::<ByteArrayType>().write_batch(&vec![trace.clone(); self.rows], None, None)?;
            w.close()?;
        }
        for c in &mut self.columns {
            let Some(mut w) = group.next_column()? else { break };
            let present = Some(&c.present[..]);
            match &mut c.values {
                Values::Int(v) => drop(w.typed::<Int64Type>().write_batch(v, present, None).map(|_| v.clear())?),
                Values::Bool(v) => drop(w.typed::<BoolType>().write_batch(v, present, None).map(|_| v.clear())?),
                Values::Text(v) => drop(w.typed::<ByteArrayType>().write_batch(v, present, None).map(|_| v.clear())?),
            }
            w.close()?;
            c.present.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

impl Sink for Parquet<'_> {
    fn row(&mut self, table: Table, cells: &[Cell]) {
        let Some(file) = self.files.get_mut(&table).filter(|_| self.failed.is_none()) else { return };
        for (cell, column) in cells.iter().zip(&mut file.columns) {
            let mut is = 1;
            match (&mut column.values, cell) {
                (_, Cell::Null) => is = 0,
                (Values::Int(v), Cell::Int(n)) => v.push(*n),
                (Values::Bool(v), Cell::Bool(b)) => v.push(*b),
                (Values::Text(v), Cell::Str(s)) => {
                    if self.texts.len() > TEXTS {
                        self.texts.clear();
                    }
                    let made = || ByteArray::from(self.index.dict.str(*s).as_bytes().to_vec());
                    v.push(self.texts.entry(*s).or_insert_with(made).clone());
                }
                // A word of ours is not copied: there is one in nearly every row.
                (Values::Text(v), Cell::Word(w)) => v.push(Bytes::from_static(w.as_bytes()).into()),
                (Values::Text(v), Cell::Own(s)) => v.push(ByteArray::from(s.as_bytes().to_vec())),
                _ => is = 0,
            }
            column.present.push(is);
        }
        file.rows += 1;
        if file.rows >= GROUP
            && let Err(e) = file.flush(&self.trace)
        {
            self.failed = Some(io_error(e));
        }
    }

    fn full(&self) -> bool {
        self.failed.is_some()
    }
}
