//! What lies below a folder, and the texts of a table.

use std::path::Path;

/// Every file below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Every text of every row of the table, a line each.
pub(crate) fn table_texts(folder: &Path) -> String {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_schema::DataType;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let mut texts = String::new();
    for path in files(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "parquet"))
    {
        let file = std::fs::File::open(path).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            for column in
                batch.unwrap().columns().iter().filter(|column| *column.data_type() == DataType::Utf8)
            {
                let column = column.as_string::<i32>();
                (0..column.len()).for_each(|row| texts += &format!("{}\n", column.value(row)));
            }
        }
    }
    texts
}
