//! Where what is checked comes from: a Hive over HTTP, a folder, an engine in a test.

/// What could not be had. A log that withholds is as little use as one that lies; which of the two it is, the text must say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unserved(pub String);

/// A log as it is served ("The log on the wire"). Nothing it gives is believed.
pub trait Source {
    /// The newest checkpoint: a signed note.
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved>;

    /// The newest checkpoint that witnesses have cosigned. They are asked less often than checkpoints are made, so this may wait a while for
    /// one of at least `size` records. Asked for only when the newest has too few cosignatures.
    fn witnessed(&mut self, size: u64) -> Result<Vec<u8>, Unserved> {
        let _ = size;
        self.checkpoint()
    }

    /// The log's verifier key, as text.
    fn key(&mut self) -> Result<String, Unserved>;

    /// The records of the tile `index` of level 0, `width` of them (256 when it is full): `tile/data/<index>[.p/<width>]`.
    fn data_tile(&mut self, index: u64, width: u16) -> Result<Vec<u8>, Unserved>;

    /// A tile of hashes: `tile/<level>/<index>[.p/<width>]`. Asked for only when the log shows less than it did, to prove that.
    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Unserved>;
}
