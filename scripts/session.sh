# shellcheck shell=bash
# For scripts that run real programs, to be sourced: runs a command in a session of its own, and leaves nothing of
# that session behind. Callers have `set -euo pipefail`.

# One clear line, and the exit code of "could not".
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 2
}

say() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
}

# What they all need before they begin. Sets `tracer`.
check_prerequisites() {
    [[ $(uname -s)-$(uname -m) == Linux-x86_64 ]] || die "needs Linux on x86-64: it runs that build of node"
    [[ $EUID -eq 0 ]] || die "must run as root, as the tracer must: try sudo $0"
    local tool
    for tool in setsid npm; do
        [[ -n $(command -v "$tool") ]] || die "$tool is missing: install ${tool/setsid/util-linux}"
    done
    # TRACER names another program to be called in the tracer's place.
    tracer=${TRACER:-$root/target/release/tracer}
    [[ -n $(command -v "$tracer") ]] || die "$tracer is missing: build it with cargo xtask build"
    tracer=$(realpath "$(command -v "$tracer")")
}

# Installs what $1, a package.json's text, asks for into the working directory, unless just that
# was installed here before. Scripts of packages are not run: nothing here needs them.
install_packages() {
    local wanted=$1
    # npm writes the second file at the very end of an install; ours is written after that.
    if [[ -e node_modules/.package-lock.json && -e .installed && $(<.installed) == "$wanted" ]]; then
        say "using what is installed in $PWD"
        return
    fi
    say "installing into $PWD"
    rm -f .installed
    printf '%s\n' "$wanted" >package.json
    npm install --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
        die "npm install failed in $PWD (see above)"
    printf '%s\n' "$wanted" >.installed
}

# Session of the command that was started last, which is also the process id of its leader; none: 0.
session=0
# Stands in the environment of everything that the command starts.
mark=TRACER_REPRODUCER=$$-$RANDOM$RANDOM

# Starts a command as the leader of a new session, and so knows later what belongs to it, however
# often it forked and whoever its parents are by then.
start_in_session() {
    # A background job of a script leads no process group, so setsid need not fork: its own process
    # becomes the command, and $! is the session. The job begins with SIGINT ignored, as all
    # background jobs of scripts do; the script's own end is what stops it.
    env "$mark" setsid "$@" &
    session=$!
}

# Sets `state` and `member_of` (the session) of process $1; fails if it is gone.
look_at_process() {
    local line='' fields
    # Without a fork, for this is asked again and again while something is being measured. `read`
    # fails at the end of the file for want of a delimiter, and has read it all the same.
    IFS= read -r -d '' line 2>/dev/null <"/proc/$1/stat" || [[ -n $line ]] || return 1
    # The name may hold blanks and brackets: cut after the last one.
    read -r -a fields <<<"${line##*) }"
    state=${fields[0]} member_of=${fields[3]}
}

# The process ids of all that belongs to the session, zombies apart: by its number, and by the mark
# for those that began a session of their own.
members() {
    local directory pid state member_of
    ((session > 0)) || return 0
    {
        for directory in /proc/[0-9]*; do
            pid=${directory#/proc/}
            if { look_at_process "$pid"; } 2>/dev/null && [[ $member_of == "$session" && $state != Z ]]; then
                printf '%s\n' "$pid"
            fi
        done
        # A zombie's environment is empty.
        grep -lsxz -e "$mark" /proc/[0-9]*/environ | cut -d / -f 3
    } | sort -un
}

# The same without the leader: the traced, not the tracer, which ends when they do.
followers() {
    members | grep -vx "$session" || true
}

has_followers() {
    [[ -n $(followers) ]]
}

session_is_empty() {
    [[ -z $(members) ]]
}

leader_is_gone() {
    local state member_of
    ! { look_at_process "$session"; } 2>/dev/null || [[ $state == Z ]]
}

# Sends signal $1 to the processes whose ids follow. One that has just ended is no error.
send() {
    local pid
    for pid in "${@:2}"; do
        kill -s "$1" "$pid" 2>/dev/null || true
    done
}

# Waits until a condition (a command) holds, for $1 seconds. Fails if it does not by then.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.5
    done
}

# Ends all that is left of the session: asks the traced, then the tracer, then kills. For the
# script's end, whatever brought it about; does nothing where nothing is left.
end_session() {
    ((session > 0)) || return 0
    local signal pids
    for signal in TERM KILL; do
        ! session_is_empty || break
        mapfile -t pids < <(followers)
        send "$signal" "${pids[@]}"
        # The tracer ends with what it traces, and then writes its report: let it.
        wait_until 30 leader_is_gone || true
        mapfile -t pids < <(members)
        send "$signal" "${pids[@]}"
        wait_until 5 session_is_empty || true
    done
    session_is_empty || say "could not end: $(members | tr '\n' ' ')"
    session=0
}

# What V8 leaves behind of each process that was run with --js-names: a log in the working directory
# (which no option allowed in NODE_OPTIONS turns off), and a map of its code in /tmp. The report, $1,
# names the processes; the functions' names are in the recording by now.
remove_what_v8_left() {
    rm -f isolate-0x*-v8.log
    local pid
    [[ -e $1 ]] || return 0
    grep -o '"pid": *[0-9]*' "$1" | grep -o '[0-9]*$' | sort -u | while read -r pid; do
        rm -f "/tmp/perf-$pid.map"
    done || true # a report without a process
}

# What there is to read now, each with its path, and the text report itself.
show_results() {
    local file
    [[ ! -s $1/report.txt ]] || cat "$1/report.txt"
    for file in "$1"/report.txt "$1"/report.json "$1"/recording; do
        if [[ -s $file ]]; then
            say "kept $file"
        else
            say "no $file was written"
        fi
    done
}
