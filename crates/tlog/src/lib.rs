//! The journal as a transparency log: an RFC 6962 tree, its proofs, and the C2SP texts they travel in.
//!
//! Pure: keys, times and hashes come in as arguments. `README.md` states the tree and the proofs mathematically.

mod checkpoint;
mod frontier;
mod hash;
mod key;
mod list;
mod note;
mod span;
mod text;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, Opened, Trust};
pub use frontier::Frontier;
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use key::{Cosigner, KeyError, KeyKind, Seconds, Signer, VerifierKey};
pub use list::{Missing, RUN, Run, Tree};
pub use note::{NOTE_BYTES_MAX, Note, NoteError, SIGNATURES_MAX, Signature, Signed};
pub use span::{Place, Span, bridge_spans, consistency_spans, inclusion_spans};
pub use tree::{Nodes, ProofError, bridge, consistency_proof, inclusion_proof, root};
pub use verify::{VerifyError, implied_old_root, verify_consistency, verify_inclusion};
