//! The program, as one compiler makes it.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use tracer_ebpf_build::machine;

/// How it is compiled.
pub struct Variant {
    /// `gcc` or `clang`.
    pub compiler: &'static str,
    /// `-O…`.
    pub level: &'static str,
    pub frame_pointers: bool,
}

/// What the compiler made.
pub struct Program {
    pub program: PathBuf,
    pub libraries: [PathBuf; 2],
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.compiler, self.level, self.pointers())
    }
}

impl Variant {
    fn pointers(&self) -> &'static str {
        if self.frame_pointers {
            "-fno-omit-frame-pointer"
        } else {
            "-fomit-frame-pointer"
        }
    }

    fn compile(&self, arguments: &[&str], output: &Path) {
        let compiler = machine::newest(self.compiler)
            .unwrap_or_else(|| panic!("no {}: `cargo xtask test` installs it", self.compiler));
        let mut command = Command::new(compiler);
        if self.compiler == "clang" {
            // For the address of the return address, which is a builtin of Microsoft's.
            command.arg("-fms-extensions");
        }
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chains");
        let status = command
            .current_dir(home)
            .args(["-g", "-pthread", self.level, self.pointers()])
            .args(arguments)
            .arg("-o")
            .arg(output)
            .status()
            .unwrap();
        assert!(status.success(), "{self}: {status}");
    }

    /// Compiles it into a folder.
    pub fn build(&self, folder: &Path) -> Program {
        let object = |source: &str| {
            let object = folder.join(source).with_extension("o");
            self.compile(&["-c", source], &object);
            object
        };
        let sources = ["main.c", "steps.c", "jumps.c", "thunks.S", "exceptions.cc"];
        let objects = sources.map(object);
        let objects: Vec<&str> = objects.iter().map(|path| path.to_str().unwrap()).collect();
        let program = folder.join("chains");
        let link = [
            "-rdynamic",
            "-Wl,--wrap=__cxa_end_catch,--wrap=__cxa_allocate_exception",
        ];
        self.compile(
            &[&link[..], &objects, &["-lstdc++", "-ldl"]].concat(),
            &program,
        );
        let libraries = [("first.so", "200"), ("other.so", "400")].map(|(name, frame)| {
            let library = folder.join(name);
            let frame = format!("-DFRAME={frame}");
            self.compile(&["-shared", "-fPIC", &frame, "library.c"], &library);
            library
        });
        Program { program, libraries }
    }
}
