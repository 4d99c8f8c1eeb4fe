//! What `--help` teaches by example. A test parses every line.

pub const TRACER: &str = "\
Examples:
  sudo tracer attach 1234                     trace a running process until Ctrl-C, then report
  sudo tracer run node server.js              trace a command from its first instruction
  sudo tracer run --duration 60s -o start.vmt -- ./service
                                              record a minute of start-up
  sudo tracer top --pid 1234                  watch it live; ? tells the keys
  tracer report start.vmt -f json             the same report again, as JSON
  tracer report start.vmt --report start.html
                                              the same as a page for a browser: curves, map, flame graph
  sudo tracer explain --pid 1234              what its mappings are, now, without tracing
  sudo tracer try -- node server.js           each knob that its report offers, foretold beside come
  tracer diff before.vmt after.vmt            what grew and what went, across restarts
  sudo tracer check --fail-on 'never-released > 100MiB' -- ./test
                                              a gate for CI: exit code 1 if over budget
  tracer doctor                               what this kernel and these privileges allow";

pub const ATTACH: &str = "\
Examples:
  sudo tracer attach 1234                     until Ctrl-C or its exit, then the report
  sudo tracer attach --pid 1234 --duration 5m -o leak.vmt --report leak.md
                                              five minutes, kept as a recording and as Markdown
  sudo tracer attach postgres --by pattern
                                              every process of that name, by kind of reservation
  sudo tracer attach --cgroup /sys/fs/cgroup/system.slice/app.service --verify
                                              a whole service; the ledger is compared with the kernel all along";

pub const RUN: &str = "\
Examples:
  sudo tracer run node server.js              the report goes to stderr, the exit code is node's
  sudo tracer run --js-names --duration 60s -o start.vmt -- node server.js
                                              a minute of start-up, with the names of JavaScript functions
  sudo tracer run --no-follow --faults count -- make -j8
                                              without its children, page faults only counted: costs least
  sudo tracer run --report mem.json --report mem.md -- ./test
                                              reports into files, each format by its ending";

pub const TOP: &str = "\
Examples:
  sudo tracer top --pid 1234                  watch it live; ? tells the keys, q ends and prints the report
  sudo tracer top --comm postgres             a list of them all; Enter looks into one
  sudo tracer top -o incident.vmt --pid 1234  the same, with a recording of all of it
  sudo tracer top --output-of-command service.log -- ./service
                                              a command from its first instruction, and where its words go";

pub const REPORT: &str = "\
Examples:
  tracer report start.vmt                     the report of the recording's trace
  tracer report start.vmt --at 30s            how things stood after 30 s
  tracer report start.vmt --window 10s..60s   what came, stayed and went between 10 s and 60 s
  tracer report start.vmt --report start.html --report start.svg
                                              a page for a browser, and a flame graph
  tracer report start.vmt --report start.pb.gz
                                              for `go tool pprof` and Pyroscope
  tracer report start.vmt --by thread --sort touched --full
                                              all threads, those that use most memory first
  tracer report start.vmt --redact -f markdown
                                              to be shown to strangers: no folders, no arguments, no host";

pub const EXPLAIN: &str = "\
Examples:
  sudo tracer explain --pid 1234              its mappings by kind, in less than a second
  sudo tracer explain --pid 1234 --full -f json
                                              every kind and range, for programs";

pub const DOCTOR: &str = "\
Examples:
  sudo tracer doctor                          what is missing, with its remedy
  tracer doctor                               the same without privileges: what they would change";

pub const COMPLETIONS: &str = "\
Examples:
  tracer completions bash > ~/.local/share/bash-completion/completions/tracer
  tracer completions zsh > ~/.zfunc/_tracer
  tracer completions fish > ~/.config/fish/completions/tracer.fish";

pub const MAN: &str = "\
Examples:
  tracer man > ~/.local/share/man/man1/tracer.1
  tracer man ~/.local/share/man/man1          also tracer-attach(1), tracer-run(1) and so on";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::cli::Cli;

    /// The words of a line as a shell takes them: quotes, and nothing else of a shell's.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for letter in line.chars() {
            match letter {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                _ => words.last_mut().unwrap().push(letter),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_example_is_understood() {
        let mut understood = 0;
        let cli = Cli::command();
        for command in std::iter::once(&cli).chain(cli.get_subcommands()) {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("`{}` has no example", command.get_name()));
            let examples = help.split("Examples:\n").nth(1).unwrap();
            for line in examples.lines() {
                let line = line.trim_start().trim_start_matches("sudo ");
                if !line.starts_with("tracer ") {
                    continue;
                }
                let line = line
                    .split("  ")
                    .next()
                    .unwrap()
                    .split(" > ~")
                    .next()
                    .unwrap();
                if let Err(error) = Cli::try_parse_from(words(line)) {
                    panic!("{line}: {error}");
                }
                understood += 1;
            }
        }
        assert!(understood >= 2 * cli.get_subcommands().count());
    }
}
