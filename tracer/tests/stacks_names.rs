//! Names of addresses in real files: which symbol is an address's name, and which is not.
#![cfg(target_arch = "x86_64")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "fixtures/compiled.rs"]
mod compiled;
#[path = "fixtures/named.rs"]
mod named;

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

use compiled::compile;
use named::{named, named_in};
use object::{Object, ObjectSymbol, ObjectSymbolTable};
use tracer::stacks::{RawStack, Unwinder, Unwound};
use tracer_ledger::event::{Frame, Module, Pid, SpaceId};

/// The frames at these exact addresses of this very process.
fn frames_at(addresses: &[u64]) -> Vec<Vec<Frame>> {
    frames_by(&mut Unwinder::new(), addresses)
}

fn frames_by(unwinder: &mut Unwinder, addresses: &[u64]) -> Vec<Vec<Frame>> {
    let pid = Pid(std::process::id());
    named(pid, unwound(unwinder, addresses))
}

fn unwound(unwinder: &mut Unwinder, addresses: &[u64]) -> Vec<Unwound> {
    let pid = Pid(std::process::id());
    let unwound = |&ip: &u64| {
        let raw = RawStack {
            pid,
            space: SpaceId(1),
            ip,
            sp: 0,
            fp: 0,
            kernel_frames: &[],
            copied: tracer::stacks::Copied::default(),
            other: None,
            flags: 0,
        };
        unwinder.unwind(&raw)
    };
    addresses.iter().map(unwound).collect()
}

fn frame_at(address: u64) -> Frame {
    frames_at(&[address]).swap_remove(0).swap_remove(0)
}

/// A shared library loaded into this process for good.
struct Library(*mut libc::c_void);

impl Library {
    fn load(path: &Path) -> Self {
        let path = CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the library has no initialisers.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null());
        Self(handle)
    }

    fn address(&self, name: &CStr) -> u64 {
        // SAFETY: the library stays loaded.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!address.is_null());
        address.addr() as u64
    }

    /// Calls one of the library's functions that return an address.
    fn call(&self, name: &CStr) -> u64 {
        let function = self.address(name) as *const ();
        // SAFETY: the fixture's functions that are called here take nothing and return a pointer.
        let function: extern "C" fn() -> *const u8 = unsafe { std::mem::transmute(function) };
        function().addr() as u64
    }
}

fn library(name: &str, flags: &[&str]) -> (Library, PathBuf) {
    let path = compile(
        "gaps.c",
        name,
        &[&["-O2", "-shared", "-fPIC"], flags].concat(),
    );
    (Library::load(&path), path)
}

#[test]
fn a_stripped_function_has_no_name_but_its_module_and_the_offset_in_the_file() {
    let (library, path) = library("stripped.so", &["-s"]);
    let hidden = library.call(c"where_hidden");
    let frame = frame_at(hidden + 1);
    assert_eq!((frame.function, frame.file, frame.line), (None, None, None));
    assert_eq!(frame.module.as_deref(), path.to_str());
    let file = std::fs::read(&path).unwrap();
    // SAFETY: eight bytes of code of a loaded library.
    let code = unsafe { *((hidden + 1) as *const [u8; 8]) };
    assert_eq!(file[usize::try_from(frame.offset).unwrap()..][..8], code);
    let exported = frame_at(library.address(c"before") + 1);
    assert_eq!(exported.function.as_deref(), Some("before"));
}

#[test]
fn the_same_function_has_its_name_where_the_symbols_were_kept() {
    let (library, _) = library("kept.so", &[]);
    let frame = frame_at(library.call(c"where_hidden") + 1);
    assert_eq!(frame.function.as_deref(), Some("hidden"));
    assert!(frame.file.unwrap().ends_with("gaps.c"));
    assert!(frame.line.is_some());
}

#[test]
fn a_file_is_told_once_with_its_build_id() {
    let (library, path) = library("build_id.so", &["-Wl,--build-id=0xc0ffee"]);
    let address = library.address(c"before");
    let stacks = unwound(&mut Unwinder::new(), &[address + 1, address + 2]);
    let (_, modules) = named_in(Pid(std::process::id()), stacks);
    let expected = Module {
        path: path.to_str().unwrap().into(),
        build_id: Some("c0ffee".into()),
    };
    assert_eq!(modules, [expected]);
}

fn objcopy(words: &[&std::ffi::OsStr]) {
    let done = std::process::Command::new("objcopy").args(words).status();
    assert!(done.unwrap().success());
}

/// A debug file where the system has such, as long as this lives.
struct Installed {
    file: PathBuf,
    /// The folders that were made for it, innermost first.
    made: Vec<PathBuf>,
}

impl Installed {
    /// A place for it: nothing is there yet.
    fn at(file: PathBuf) -> Self {
        let folder = file.parent().unwrap();
        let missing = folder.ancestors().take_while(|folder| !folder.exists());
        let made = missing.map(Path::to_owned).collect();
        let installed = Self { file, made };
        std::fs::create_dir_all(installed.file.parent().unwrap()).unwrap();
        installed
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
        for folder in &self.made {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// A library whose debug information was taken out and installed by name, with so many bytes added
/// to it since.
fn linked(name: &str, added: &[u8]) -> Option<String> {
    let flags = ["-O2", "-shared", "-fPIC", "-Wl,--build-id=none"];
    let whole = compile("gaps.c", &format!("whole-{name}"), &flags);
    let installed = Path::new("/usr/lib/debug").join(whole.strip_prefix("/").unwrap());
    let installed = Installed::at(installed.with_file_name(format!("{name}.debug")));
    let debug = &installed.file;
    objcopy(&["--only-keep-debug".as_ref(), whole.as_ref(), debug.as_ref()]);
    let path = whole.with_file_name(name);
    let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
    link.push(debug);
    objcopy(&["--strip-all".as_ref(), &link, whole.as_ref(), path.as_ref()]);
    let content = [&std::fs::read(debug).unwrap(), added].concat();
    std::fs::write(debug, content).unwrap();

    let library = Library::load(&path);
    frame_at(library.call(c"where_hidden") + 1).function
}

#[test]
fn a_stripped_function_has_its_name_where_its_debug_file_is_linked_by_name() {
    assert_eq!(linked("linked.so", &[]).as_deref(), Some("hidden"));
    // Another build's file of the same name.
    assert_eq!(linked("changed.so", b"+"), None);
}

#[test]
fn a_library_loaded_later_is_found_when_code_in_it_is_met() {
    let mut unwinder = Unwinder::new();
    frames_by(&mut unwinder, &[0x10]);
    let (library, _) = library("later.so", &[]);
    let inside = library.address(c"before");
    // The maps were read in vain for the first address: they are left alone for a few more.
    let frames = frames_by(&mut unwinder, &[inside; 64]);
    assert_eq!(frames[63][0].function.as_deref(), Some("before"));
}

#[test]
fn a_library_loaded_later_is_found_at_once_when_it_was_announced() {
    let mut unwinder = Unwinder::new();
    frames_by(&mut unwinder, &[0x10; 200]);
    let (library, _) = library("announced.so", &[]);
    unwinder.modules_changed(SpaceId(1));
    let frames = frames_by(&mut unwinder, &[library.address(c"before")]);
    assert_eq!(frames[0][0].function.as_deref(), Some("before"));
}

#[test]
fn a_symbol_without_a_size_names_code_up_to_the_next_symbol() {
    let (library, _) = library("bare.so", &["-g0"]);
    let bare = library.call(c"where_bare");
    assert_eq!(frame_at(bare + 2).function.as_deref(), Some("bare"));
    assert_eq!(frame_at(bare + 4).function.as_deref(), Some("bare_end"));
    assert_ne!(frame_at(bare + 5).function.as_deref(), Some("bare_end"));
}

#[test]
fn names_are_demangled_and_lose_their_parameters() {
    let (library, _) = library("mangled.so", &["-g0"]);
    let cpp = frame_at(library.call(c"where_mangled"));
    assert_eq!(cpp.function.as_deref(), Some("v8::internal::Heap::SetUp"));
    let rust = frame_at(library.call(c"where_mangled_rust"));
    assert_eq!(rust.function.as_deref(), Some("core::fmt::write"));
}

#[test]
fn inlined_functions_come_first_and_are_marked() {
    let (library, _) = library("inlined.so", &[]);
    let frames = frames_at(&[library.call(c"inlining")]).swap_remove(0);
    let parts: Vec<_> = frames
        .iter()
        .map(|frame| (frame.function.as_deref().unwrap(), frame.inlined))
        .collect();
    assert_eq!(parts, [("between", true), ("inlining", false)]);
    assert!(frames.iter().all(|frame| frame.offset == frames[0].offset));
}

#[test]
fn a_function_in_two_pieces_has_its_name_and_place() {
    let (library, path) = library("split.so", &[]);
    let symbols = std::fs::read(path).unwrap();
    let symbols = object::File::parse(&*symbols).unwrap();
    assert!(
        symbols
            .symbols()
            .any(|symbol| symbol.name() == Ok("split.cold"))
    );
    let frame = frame_at(library.address(c"split") + 1);
    assert_eq!(frame.function.as_deref(), Some("split"));
    assert!(frame.file.unwrap().ends_with("gaps.c"));
}

#[test]
fn no_exported_function_of_libc_names_what_lies_behind_it() {
    let libc = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = libc
        .lines()
        .find(|line| line.contains("/libc.so.6"))
        .unwrap();
    let base = u64::from_str_radix(line.split('-').next().unwrap(), 16).unwrap();
    let path = line.split_whitespace().last().unwrap();
    let file = std::fs::read(path).unwrap();
    let file = object::File::parse(&*file).unwrap();
    let mut symbols: Vec<(u64, u64, String)> = file
        .dynamic_symbol_table()
        .unwrap()
        .symbols()
        .filter(|symbol| symbol.is_definition() && symbol.kind() == object::SymbolKind::Text)
        .map(|symbol| {
            (
                symbol.address(),
                symbol.size(),
                symbol.name().unwrap().to_owned(),
            )
        })
        .collect();
    symbols.sort();
    let gaps = symbols.windows(2).filter_map(|pair| {
        let behind = pair[0].0 + pair[0].1 + 64;
        (behind < pair[1].0).then(|| (base + behind, pair[0].2.clone()))
    });
    let gaps: Vec<_> = gaps.take(64).collect();
    assert!(!gaps.is_empty());
    let addresses: Vec<u64> = gaps.iter().map(|gap| gap.0).collect();
    for (frames, (address, before)) in frames_at(&addresses).iter().zip(&gaps) {
        let last = frames.last().unwrap();
        assert_ne!(
            last.function.as_deref(),
            Some(before.as_str()),
            "{address:x}"
        );
        assert_eq!(last.module.as_deref(), Some(path));
    }
}

#[test]
fn the_vdso_has_names() {
    // SAFETY: reads the auxiliary vector.
    let vdso = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) };
    let addresses: Vec<u64> = (vdso..vdso + 0x2000).step_by(64).collect();
    let frames = frames_at(&addresses);
    let found = |name: &str| {
        frames.iter().flatten().any(|frame| {
            frame.function.as_deref() == Some(name) && frame.module.as_deref() == Some("[vdso]")
        })
    };
    // The kernel exports it with and without the prefix; the shorter name is shown.
    assert!(found("clock_gettime"));
}
