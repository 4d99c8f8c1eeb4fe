//! By which names a stack is called: the one naming of sites that verdicts and every report share.
//!
//! Read in this order: [`names`] (of one frame), [`noise`] (which frames say something), [`wrappers`] (which
//! functions do not tell who asked), [`folding`] (a stack folded to what matters), [`fingerprint`] (what of it
//! stays the same from run to run).

pub mod names;

pub mod noise;

pub mod wrappers;

pub mod folding;

pub mod fingerprint;
