//! Sources inside the program: those of the built-in incident, which are then at hand on any machine.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Sources inside the program, and what to press to see them.
#[derive(PartialEq, Eq, Debug)]
pub struct BuiltIn {
    /// Each file by the name that the trace has for it, and its text.
    pub files: &'static [(&'static str, &'static str)],
    /// What to press first, and what that shows; shown while no line of source is.
    pub hint: &'static [(&'static str, &'static str)],
}

impl BuiltIn {
    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&'static str> {
        self.files.iter().find(|f| f.0 == name).map(|f| f.1)
    }

    /// Writes all the files into a new folder of this run, if that has not been done, and says where this one is: for an
    /// editor.
    ///
    /// # Errors
    ///
    /// There is no such file, or nowhere to write it.
    pub fn unpack(&self, name: &str) -> io::Result<PathBuf> {
        static FOLDER: OnceLock<PathBuf> = OnceLock::new();
        if self.text(name).is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let folder = match FOLDER.get() {
            Some(folder) => folder.clone(),
            None => {
                let folder = new_folder()?;
                for (name, text) in self.files {
                    let path = folder.join(name);
                    std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
                    std::fs::write(path, text)?;
                }
                FOLDER.get_or_init(|| folder).clone()
            }
        };
        Ok(folder.join(name))
    }
}

/// A folder that nobody had before: the folder of temporary files is everybody's, and a name in it may be a trap.
fn new_folder() -> io::Result<PathBuf> {
    let base = std::env::temp_dir();
    for n in 0..100 {
        let folder = base.join(format!("gotrail-demo-{}-{n}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    static ONE: BuiltIn = BuiltIn { files: &[("shop/a.go", "package shop\n")], hint: &[] };

    #[test]
    fn files_are_unpacked_once_and_whole() {
        let path = ONE.unpack("shop/a.go").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "package shop\n");
        assert_eq!(ONE.unpack("shop/a.go").unwrap(), path);
        assert_eq!(ONE.unpack("shop/b.go").unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::remove_dir_all(path.parent().unwrap().parent().unwrap()).unwrap();
    }
}
