//! Prints the lines that cost most by themselves: `cargo run --example hot_lines -- cpu.pb.gz`.

use gotrail::Profile;

fn main() -> Result<(), gotrail::Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "sample-traces/cpu.pb.gz".into());
    let profile = Profile::read(path)?;
    let total = profile.total("")?.max(1);
    for line in profile.lines("")?.iter().take(10) {
        let share = line.flat as f64 * 100.0 / total as f64;
        println!("{share:>5.1} %  {} {}:{}", line.frame.function, line.frame.file, line.frame.line);
    }
    Ok(())
}
