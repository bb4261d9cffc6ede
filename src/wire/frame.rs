//! Frames: a length and that many bytes, with a hard maximum and an incremental decoder.
//!
//! The length is four bytes, little endian. Used on every socket of nopeek.

use thiserror::Error;

/// Longest frame, in bytes: a full 500x200 screen of single styled cells and a board of 1,000 tasks stay
/// below it, and a broken peer can't make us hold more.
pub const MAX_FRAME: usize = 8 * 1024 * 1024;

/// A peer sent something that is no frame of ours.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The length is over the maximum.
    #[error("a frame of {0} bytes is longer than the {MAX_FRAME} allowed")]
    TooLong(usize),
    /// The content is not what the protocol says.
    #[error("a frame can't be read as a message: {0}")]
    Content(#[from] postcard::Error),
}

/// Encodes `message` as one frame.
pub fn encode<T: serde::Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut out = postcard::to_extend(message, vec![0; 4])?;
    let len = out.len() - 4;
    if len > MAX_FRAME {
        return Err(FrameError::TooLong(len));
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_FRAME, which fits")]
    out[..4].copy_from_slice(&(len as u32).to_le_bytes());
    Ok(out)
}

/// Collects bytes and hands out whole frames. Holds at most one frame and one read.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, or none until more is pushed.
    pub fn next_message<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let rest = &self.buffer[self.start..];
        let Some((head, body)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let len = u32::from_le_bytes(*head) as usize;
        if len > MAX_FRAME {
            return Err(FrameError::TooLong(len));
        }
        let Some(body) = body.get(..len) else { return Ok(None) };
        let message = postcard::from_bytes(body)?;
        self.start += 4 + len;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_anywhere_the_messages_are_the_same() {
        let mut bytes = encode(&"hello").unwrap();
        bytes.extend(encode(&"world").unwrap());
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            let mut got: Vec<String> = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                decoder.push(part);
                while let Some(message) = decoder.next_message().unwrap() {
                    got.push(message);
                }
            }
            assert_eq!(got, ["hello", "world"], "cut at {cut}");
        }
    }

    #[test]
    fn a_huge_length_is_refused_before_anything_is_held() {
        let mut decoder = Decoder::default();
        decoder.push(&u32::MAX.to_le_bytes());
        assert!(matches!(decoder.next_message::<String>(), Err(FrameError::TooLong(_))));
    }
}
