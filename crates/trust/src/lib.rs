//! Who may do what: principals, keys, DIDs, intents.
//!
//! Pure: the moment and random bytes come in as arguments. A [`Command`] looks at a [`Desk`] and gives a [`Fact`], or a `Problem`;
//! [`State::apply`] folds the fact and cannot fail. [`judge()`] is the one check every request passes.

mod base32;
mod base58;
mod command;
mod crc32;
mod create_key;
mod delegate;
mod desk;
mod did_keys;
mod did_text;
mod did_web;
mod erase;
mod fact;
mod freeze;
mod intent;
mod judge;
mod key;
mod key_text;
mod kind;
mod member;
mod note;
mod policy;
mod principal;
mod public_key;
#[cfg(test)]
mod random;
mod readers;
mod resume;
mod revoke_key;
mod rotate_key;
mod rule;
mod scope;
mod seal;
mod shards;
mod signed_share;
mod state;
mod statement;
#[cfg(test)]
mod testing;
mod text;
mod treasurers;

pub use command::{Command, decide};
pub use create_key::{CREATE_KEY, CreateKey, create_key};
pub use delegate::{DELEGATE, Delegate, delegate};
pub use desk::Desk;
pub use did_keys::{Change, ChangeDidKeys, DidKeyEvent, ENROL, ENROL_OWN, change_did_keys, recovery_hash};
pub use did_web::{DOCUMENT_BYTES_MAX, DidWebError, document_keys, document_url};
pub use erase::{ERASE, Erase, erase};
pub use fact::{Deed, Fact, KeyCreated};
pub use freeze::{FREEZE, FREEZE_HOURS_MAX, FREEZE_PAUSE, Freeze, Frozen, THAW, Thaw, check_not_frozen, freeze, thaw};
pub use intent::{Intent, Verified, check_counted, check_intent, check_unsigned};
pub use judge::{check_working, judge};
pub use key::{Holder, Key, Rotated, Standing};
pub use key_text::{KeyHash, KeyId, KeyText, KeyTextError};
pub use kind::{Kind, Kinds};
pub use note::{NOTE, Note, note};
pub use policy::{ChangePolicy, PolicyLines, change_policy};
pub use principal::{Bearer, By, Principal};
pub use public_key::{PublicKey, Signature};
pub use readers::{READ_RECORDS, Readers};
pub use resume::{Resumption, resume};
pub use revoke_key::{MANAGE_KEY, RevokeKey, revoke_key};
pub use rotate_key::{OVERLAP, OVERLAP_MAX, RotateKey, rotate_key};
pub use rule::{Owned, Rule, Touched};
pub use scope::{Scope, Scopes};
pub use seal::{Inscription, SEAL, SealedBy, inscribe, seal};
pub use signed_share::{SignedEarned, SignedMembers, SignedShare};
pub use state::State;
pub use statement::{Act, HiveName, MemoHash, Statement, StatementError};
pub use treasurers::{Approval, Countersign, GOVERN, NameTreasurers, Treasurers, check_approval, name_treasurers};
