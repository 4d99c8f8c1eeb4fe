//! Other code at the same addresses: neither a rule nor a hash that was learned of the old code is used for
//! the new.

use std::{fs, path::Path};

use tracer_ledger::event::{Frame, FrameKind, StackQuality};

use crate::{command::folder, compiled::compile, recorded};

/// Calls through each code.
const PAIRS: usize = 5000;

/// A function that calls what it is given from the same offset as the code that the program makes at run
/// time, out of a frame of so many bytes, or out of the very same frame.
const THROUGH: &str = r#"
#ifdef FRAME
#define ENTER "sub $" FRAME ", %rsp\n.cfi_adjust_cfa_offset " FRAME "\n"
#define LEAVE "add $" FRAME ", %rsp\n.cfi_adjust_cfa_offset -" FRAME "\n"
#else
#define ENTER "push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_offset %rbp, -16\nmov %rsp, %rbp\n" \
    ".cfi_def_cfa_register %rbp\nsub $64, %rsp\n"
#define LEAVE "leave\n.cfi_def_cfa %rsp, 8\n"
#endif
__asm__(".text\n.p2align 12\n.globl through\n.type through, @function\nthrough:\n.cfi_startproc\n"
        ENTER
        ".org through + 14, 0x90\ncall *%rdi\n"
        LEAVE
        "ret\n.cfi_endproc\n.size through, . - through\n.p2align 12\n");
"#;

fn library(folder: &Path, name: &str, frame: Option<u32>) -> std::path::PathBuf {
    let home = folder.join(name);
    fs::create_dir(&home).unwrap();
    let frame = frame.map(|frame| format!("-DFRAME=\"{frame}\""));
    let options: Vec<_> = ["-shared", "-fPIC"]
        .into_iter()
        .chain(frame.as_deref())
        .collect();
    compile(&home, THROUGH, &options)
}

/// Stacks by what the frame that calls `step` is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// The library's function.
    through: usize,
    /// Code of no file.
    made: usize,
    /// There is no stack: what it would have been was not clear.
    none: usize,
    /// Anything else: each would be wrong.
    wrong: Vec<String>,
}

/// Runs the program, which puts other code over the library's code in this way.
fn over(how: &str, frame: Option<u32>, other: Option<u32>) -> Found {
    let folder = folder();
    let options = ["-O2", "-fomit-frame-pointer", "-ldl"];
    let program = compile(
        folder.path(),
        include_str!("../fixtures/code_over.c"),
        &options,
    );
    let (first, second) = (
        library(folder.path(), "first", frame),
        library(folder.path(), "second", other),
    );
    let path = folder.path().join("code.vmt");
    let pairs = PAIRS.to_string();
    let words = [
        how.as_ref(),
        first.as_ref(),
        second.as_ref(),
        pairs.as_ref(),
    ];
    let output = recorded::record(&path, &program, &words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !stderr.contains("elsewhere"),
        "this shows nothing: {stderr}"
    );

    let (stacks, mapped) = recorded::stacks_of_maps(&path);
    let mut found = Found::default();
    for id in mapped {
        let Some(stack) = stacks.get(&id) else {
            found.none += 1;
            continue;
        };
        let names = |frame: &Frame| frame.function.clone().unwrap_or_default();
        let all: Vec<_> = stack.frames.iter().map(names).collect();
        let at = all.iter().position(|name| name == "step");
        let behind = at.map_or(&[][..], |at| &all[at + 1..]);
        let caller = at.and_then(|at| stack.frames.get(at + 1));
        let rest = ["before", "main"];
        match (behind, caller) {
            ([_, rest_of @ ..], _)
                if !rest_of.iter().map(String::as_str).take(2).eq(rest)
                    || stack.quality != StackQuality::Complete =>
            {
                found.wrong.push(format!("{:?} {all:?}", stack.quality));
            }
            ([name, ..], _) if name == "through" => found.through += 1,
            ([name, ..], Some(caller)) if name.is_empty() && caller.kind == FrameKind::Jit => {
                found.made += 1;
            }
            _ => found.wrong.push(format!("{:?} {all:?}", stack.quality)),
        }
    }
    found.wrong.sort();
    found.wrong.dedup();
    found
}

/// The ways in which code that is made at run time comes to lie where the library's was.
const WAYS: [&str; 5] = ["closed", "over", "protected", "moved-over", "moved-away"];

#[test]
fn code_made_where_a_library_s_was_is_not_unwound_by_its_rules() {
    for how in WAYS {
        let found = over(how, Some(200), None);
        let Found {
            through,
            made,
            none,
            wrong,
        } = &found;
        assert!(wrong.is_empty(), "{how}: {found:?}");
        assert_eq!((*through, made + none), (PAIRS, PAIRS), "{how}: {found:?}");
        assert!(*made > PAIRS / 2, "{how}: {found:?}");
    }
}

/// Then the stacks are the same, address by address, and so are their hashes.
#[test]
fn nor_taken_for_it_where_every_address_is_the_same() {
    for how in WAYS {
        let found = over(how, None, None);
        let Found {
            through,
            made,
            none,
            wrong,
        } = &found;
        assert!(wrong.is_empty(), "{how}: {found:?}");
        assert_eq!((*through, made + none), (PAIRS, PAIRS), "{how}: {found:?}");
        assert!(*made > PAIRS / 2, "{how}: {found:?}");
    }
}

#[test]
fn code_of_another_file_where_a_file_s_was_has_rules_of_its_own() {
    // The same file with other bytes in it too: by its path, and its number, it is the old one.
    for how in ["file-over", "replaced"] {
        let found = over(how, Some(200), Some(808));
        let Found {
            through,
            made,
            none,
            wrong,
        } = &found;
        assert!(wrong.is_empty(), "{how}: {found:?}");
        assert_eq!((through + none, *made), (2 * PAIRS, 0), "{how}: {found:?}");
        assert!(*none < PAIRS / 2, "{how}: {found:?}");
    }
}
