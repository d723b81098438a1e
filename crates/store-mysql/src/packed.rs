//! How do many rows travel in a statement whose text is always the same?
//!
//! Binary columns of fixed width lie end to end in one parameter, those of varying width in a second, and the server
//! cuts them by `SUBSTR`; only small integers go through `JSON_TABLE`. So each kind of row needs one prepared
//! statement, whatever the size of the batch (multi-row `VALUES` would need one for every size, and hex in JSON costs
//! the server twice the time).
//!
//! The parameters stand in a derived table of one row, so that each is sent once. Its type comes from the union with a
//! MEDIUMBLOB column: alone, or under CAST, the server makes it VARBINARY(65535) and cuts longer ones without a word.

use std::fmt::Write;

use praxis_event_store::port::StoreError;

use crate::errors::refused;
use crate::session::Statement;

/// Rows on their way into a statement with the parameters `f` (fixed), `v` (varying) and numbers, in this order.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    fixed: Vec<u8>,
    varying: Vec<u8>,
    numbers: String,
    rows: usize,
}

impl Packed {
    /// Adds a row: the binary columns of fixed width in order, those of varying width in order, and its integers.
    pub(crate) fn row(&mut self, fixed: &[&[u8]], varying: &[&[u8]], numbers: &[i64]) {
        for bytes in fixed {
            self.fixed.extend_from_slice(bytes);
        }
        for bytes in varying {
            self.varying.extend_from_slice(bytes);
        }
        let mut before = if self.rows == 0 { "[[" } else { ",[" };
        for number in numbers {
            // Writing to a String cannot fail.
            let _ = write!(self.numbers, "{before}{number}");
            before = ",";
        }
        self.numbers.push_str(if numbers.is_empty() {
            if self.rows == 0 { "[0" } else { ",0" }
        } else {
            "]"
        });
        self.rows += 1;
    }

    /// Where the next row's bytes of varying width begin, counted from 1 as `SUBSTR` does.
    pub(crate) fn varying_offset(&self) -> Result<i64, StoreError> {
        number(self.varying.len() + 1)
    }

    /// Where the next row's columns of varying width will begin, and how long they are, as a statement reads them of
    /// the bytes of fixed width: twice four bytes for each.
    pub(crate) fn places<const N: usize>(&self, columns: [&[u8]; N]) -> Result<[[u8; 8]; N], StoreError> {
        let mut at = self.varying.len() + 1;
        let mut places = [[0; 8]; N];
        for (place, column) in places.iter_mut().zip(columns) {
            place[..4].copy_from_slice(&short(at)?.to_be_bytes());
            place[4..].copy_from_slice(&short(column.len())?.to_be_bytes());
            at += column.len();
        }
        Ok(places)
    }

    /// Bytes so far.
    pub(crate) const fn bytes(&self) -> usize {
        self.fixed.len() + self.varying.len() + self.numbers.len()
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Binds to a statement that cuts both kinds of columns.
    pub(crate) fn bind(mut self, text: &'static str) -> Statement<'static> {
        self.numbers.push(']');
        sqlx::query(text)
            .bind(self.fixed)
            .bind(self.varying)
            .bind(self.numbers)
    }

    /// Binds to a statement whose rows have no columns of varying width.
    pub(crate) fn bind_fixed(mut self, text: &'static str) -> Statement<'static> {
        self.numbers.push(']');
        sqlx::query(text).bind(self.fixed).bind(self.numbers)
    }
}

/// An integer as it goes into a row.
pub(crate) fn number<T: TryInto<i64>>(value: T) -> Result<i64, StoreError> {
    value
        .try_into()
        .map_err(|_| refused("a number does not fit into 63 bits"))
}

fn short(number: usize) -> Result<u32, StoreError> {
    number
        .try_into()
        .map_err(|_| refused("a number does not fit into 32 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_end_to_end_with_their_numbers_as_json() {
        let mut packed = Packed::default();
        assert_eq!(packed.varying_offset().unwrap(), 1);
        packed.row(&[b"ab", b"c"], &[b"xyz"], &[1, -2]);
        assert_eq!(packed.varying_offset().unwrap(), 4);
        packed.row(&[b"de", b"f"], &[b""], &[3, 4]);
        assert_eq!(packed.fixed, b"abcdef");
        assert_eq!(packed.varying, b"xyz");
        assert_eq!(format!("{}]", packed.numbers), "[[1,-2],[3,4]]");
        assert_eq!(packed.rows(), 2);
    }

    #[test]
    fn rows_without_numbers_are_still_counted_by_the_json() {
        let mut packed = Packed::default();
        packed.row(&[b"a"], &[], &[]);
        packed.row(&[b"b"], &[], &[]);
        assert_eq!(format!("{}]", packed.numbers), "[0,0]");
    }

    #[test]
    fn numbers_past_63_bits_are_refused() {
        assert_eq!(number(u64::MAX >> 1).unwrap(), i64::MAX);
        assert!(number(u64::MAX).is_err());
    }
}
