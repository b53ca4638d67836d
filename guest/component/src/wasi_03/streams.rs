//! Bytes in and out by the streams of WASI 0.3. What they carry is secret, so a transfer that is given up leaves no copy
//! behind: the buffer that it was lent is taken back and wiped.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use keyless_engine::secret::SecretBytes;
use wit_bindgen::{StreamRead, StreamReader, StreamResult, StreamWrite, StreamWriter};

/// How much is asked for at once where nothing is known of the size, in bytes: more than a token endpoint's usual answer.
const CHUNK: usize = 8 * 1024;

/// All that comes; none if it is more than `limit` bytes.
pub(crate) async fn take(mut stream: StreamReader<u8>, limit: usize) -> Option<SecretBytes> {
    let mut content = SecretBytes::from(Vec::with_capacity(CHUNK.min(limit + 1)));
    loop {
        if content.len() == content.capacity() {
            // Grown by hand: a vector that moves leaves pieces of the token behind.
            let mut larger = SecretBytes::from(Vec::with_capacity((2 * content.len()).min(limit + 1)));
            larger.extend_from_slice(&content);
            content = larger;
        }
        let lent = core::mem::take(&mut *content);
        let (result, filled) = Reading { read: Box::pin(stream.read(lent)), over: false }.await;
        content = filled;
        if content.len() > limit {
            return None;
        }
        if result == StreamResult::Dropped {
            return Some(content);
        }
    }
}

/// Gives all of it, or as much as the other side wants.
pub(crate) async fn give(mut stream: StreamWriter<u8>, mut content: SecretBytes) {
    while !content.is_empty() {
        let lent = core::mem::take(&mut *content);
        let (result, rest) = Writing { write: Box::pin(stream.write(lent)), over: false }.await;
        content = rest;
        if result == StreamResult::Dropped {
            return;
        }
    }
}

struct Reading<'s> {
    read: Pin<Box<StreamRead<'s, u8>>>,
    over: bool,
}

impl Future for Reading<'_> {
    type Output = (StreamResult, SecretBytes);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = self.read.as_mut().poll(context);
        self.over = ended.is_ready();
        ended.map(|(result, buffer)| (result, buffer.into()))
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !self.over {
            let (_, buffer) = self.read.as_mut().cancel();
            drop(SecretBytes::from(buffer));
        }
    }
}

struct Writing<'s> {
    write: Pin<Box<StreamWrite<'s, u8>>>,
    over: bool,
}

impl Future for Writing<'_> {
    type Output = (StreamResult, SecretBytes);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = self.write.as_mut().poll(context);
        self.over = ended.is_ready();
        ended.map(|(result, buffer)| (result, buffer.into_vec().into()))
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.over {
            let (_, buffer) = self.write.as_mut().cancel();
            drop(SecretBytes::from(buffer.into_vec()));
        }
    }
}
