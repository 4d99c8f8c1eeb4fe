//! Headless Chromium, driven over the DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>).
//! Nothing here waits for a time: it waits for an event, or for what a script sees.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// No answer within this is none.
const PATIENCE: Duration = Duration::from_secs(60);
const MISSING: &str = "headless Chromium is needed: install it (Debian's package `chromium`; `cargo xtask test` does)";

/// A browser with one page.
pub struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    last: u64,
    /// With the page.
    session: Option<Value>,
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one with a window of that size.
    pub fn start(width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("chromium")
            .args([
                "--headless",
                // It refuses to be root's without; what it opens is ours.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--window-size={width},{height}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{MISSING}: {error}"));
        let (port, path) = endpoint(&mut child, profile.path());
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let url = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = tungstenite::client(url, stream).unwrap();
        let mut browser = Self {
            child,
            socket,
            last: 0,
            session: None,
            events: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        browser
    }

    /// To the page's own target, in this connection.
    fn attach(&mut self) {
        let targets = self.send(None, "Target.getTargets", &json!({}));
        let targets = targets["targetInfos"].as_array().unwrap();
        let page = targets.iter().find(|one| one["type"] == "page").unwrap();
        let target = json!({ "targetId": page["targetId"], "flatten": true });
        let session = self.send(None, "Target.attachToTarget", &target);
        self.session = Some(session["sessionId"].clone());
        for domain in ["Runtime", "Log", "Page", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// A command of the protocol to the page.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "they are made for it where it is called"
    )]
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.send(self.session.clone(), method, &parameters)
    }

    #[track_caller]
    fn send(&mut self, session: Option<Value>, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session;
        }
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
        loop {
            let message = self.read();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn read(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Opens a file and waits until it is loaded; returns how long its scripts say that took, ms.
    #[track_caller]
    pub fn open(&mut self, path: &Path) -> u64 {
        let url = format!("file://{}", path.display());
        let before = self.events.len();
        self.call("Page.navigate", json!({ "url": url }));
        let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events[before..].iter().any(loaded) {
            let event = self.read();
            self.events.push(event);
        }
        let ready = self.eval("document.documentElement.dataset.ready || ''");
        let ready = ready.as_str().unwrap().parse();
        ready.unwrap_or_else(|_| panic!("the page's script did not end: {:#?}", self.complaints()))
    }

    /// The value of an expression.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        let result = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true }),
        );
        let wrong = &result["exceptionDetails"];
        assert!(wrong.is_null(), "{expression}\n{wrong:#}");
        result["result"]["value"].clone()
    }

    /// Waits, a frame at a time, until an expression is true.
    #[track_caller]
    pub fn until(&mut self, expression: &str) {
        let waited = self.eval(&format!(
            "new Promise((done) => {{ const end = performance.now() + 20000; const look = () => \
             ({expression}) ? done(true) : performance.now() > end ? done(false) : requestAnimationFrame(look); \
             look(); }})"
        ));
        assert_eq!(waited, true, "never came true: {expression}");
    }

    /// Text of an element.
    #[track_caller]
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector({selector:?}).textContent"));
        text.as_str().unwrap().to_owned()
    }

    /// Chooses of a `<select>`, as a user does: the value, and then the event.
    #[track_caller]
    pub fn choose(&mut self, selector: &str, value: &str) {
        self.eval(&format!(
            "(() => {{ const one = document.querySelector({selector:?}); one.value = {value:?}; \
             if (one.value !== {value:?}) throw new Error('no such choice'); \
             one.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"
        ));
    }

    /// Where an element is in the window, after it was scrolled to: x, y, width, height.
    #[track_caller]
    pub fn place(&mut self, selector: &str) -> [f64; 4] {
        let place = self.eval(&format!(
            "(() => {{ const one = document.querySelector({selector:?}); \
             one.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const box = one.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; }})()"
        ));
        serde_json::from_value(place).unwrap()
    }

    /// Clicks into the middle of an element.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        let [x, y, width, height] = self.place(selector);
        self.click_at(x + width / 2.0, y + height / 2.0);
    }

    /// Clicks a place in the window.
    pub fn click_at(&mut self, x: f64, y: f64) {
        self.mouse("mouseMoved", x, y, 0);
        self.mouse("mousePressed", x, y, 1);
        self.mouse("mouseReleased", x, y, 0);
    }

    /// Presses at one place, moves in steps to the other, lets go.
    pub fn drag(&mut self, (from_x, from_y): (f64, f64), (to_x, to_y): (f64, f64)) {
        const STEPS: u32 = 8;
        self.mouse("mouseMoved", from_x, from_y, 0);
        self.mouse("mousePressed", from_x, from_y, 1);
        for step in 1..=STEPS {
            let part = f64::from(step) / f64::from(STEPS);
            let x = from_x + (to_x - from_x) * part;
            let y = from_y + (to_y - from_y) * part;
            self.mouse("mouseMoved", x, y, 1);
        }
        self.mouse("mouseReleased", to_x, to_y, 0);
    }

    fn mouse(&mut self, kind: &str, x: f64, y: f64, buttons: u32) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1 }),
        );
    }

    /// Presses a key: `Enter`, `Escape`, `ArrowDown`, `Tab`, or a letter.
    pub fn key(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "Tab" => 9,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => 0,
        };
        let text = match key {
            "Enter" => Some("\r"),
            letter if letter.chars().count() == 1 => Some(letter),
            _ => None,
        };
        let mut down = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if let Some(text) = text {
            down["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", down);
        self.call(
            "Input.dispatchKeyEvent",
            json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code }),
        );
    }

    /// Types where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// What the page or the browser complained of, in short.
    pub fn complaints(&self) -> Vec<String> {
        let said = self.events.iter().filter_map(|event| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(&parameters["exceptionDetails"]["exception"]),
                "Runtime.consoleAPICalled" => Some(&parameters["args"]),
                "Log.entryAdded" => Some(&parameters["entry"]),
                _ => None,
            }
        });
        said.map(|what| what.get("description").unwrap_or(what).to_string())
            .collect()
    }

    /// Everything that was asked for, from anywhere.
    pub fn requests(&self) -> Vec<&str> {
        let requests = self.events.iter();
        let requests = requests.filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = requests.filter_map(|event| event["params"]["request"]["url"].as_str());
        urls.collect()
    }

    /// Nothing was complained of, and nothing but the page was asked for.
    #[track_caller]
    pub fn is_quiet(&self) {
        assert!(self.complaints().is_empty(), "{:#?}", self.complaints());
        let requests = self.requests();
        assert!(!requests.is_empty(), "not even the page was asked for");
        for url in requests {
            assert!(
                url.starts_with("file://") && url.ends_with(".html") || url.starts_with("data:"),
                "the page asks for {url}"
            );
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Port and path, which the browser writes into its profile as soon as it listens.
fn endpoint(child: &mut Child, profile: &Path) -> (u16, String) {
    let begun = Instant::now();
    loop {
        let written = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = written.split_once('\n')
            && path.starts_with('/')
        {
            return (port.parse().unwrap(), path.trim().to_owned());
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!("Chromium ended at once ({status})");
        }
        assert!(begun.elapsed() < PATIENCE, "Chromium does not listen");
        std::thread::yield_now();
    }
}
