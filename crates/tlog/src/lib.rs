//! The journal as a transparency log: an RFC 6962 tree, its proofs, and the C2SP texts they travel in.
//!
//! Pure: keys, times and hashes come in as arguments. `README.md` states the tree and the proofs mathematically.

mod checkpoint;
mod entries;
mod fork;
mod frontier;
mod hash;
mod key;
mod list;
mod list_proof;
mod note;
mod proof_file;
mod receipt;
mod span;
mod text;
mod tile;
mod tree;
mod verify;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, Opened, Trust};
pub use entries::{EntriesError, decode_entries, encode_entries};
pub use fork::{Fork, NoFork};
pub use frontier::Frontier;
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use key::{Cosigner, KeyError, KeyKind, Seconds, Signer, VerifierKey};
pub use list::{Missing, RUN, Run, Tree};
pub use list_proof::{ListProof, ListProofError};
pub use note::{NOTE_BYTES_MAX, Note, NoteError, SIGNATURES_MAX, Signature, Signed};
pub use proof_file::{ProofFile, ProofFileError};
pub use receipt::{Receipt, ReceiptError};
pub use span::{Place, Span, bridge_spans, consistency_spans, inclusion_spans};
pub use tile::{TILE_WIDTH, Tile, TileError, TileKind, TileNodes, decode_hashes, tiles_for};
pub use tree::{Nodes, ProofError, bridge, consistency_proof, inclusion_proof, root};
pub use verify::{VerifyError, implied_old_root, verify_consistency, verify_inclusion};
pub use witness::{ADD_CHECKPOINT_BYTES_MAX, AddCheckpoint, Refusal, TreeHead, WitnessedLog, parse_conflict};
