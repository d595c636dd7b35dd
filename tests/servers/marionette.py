"""Drives a real Firefox through Marionette (length:JSON on a stream), by the names that a person sees on the screen.

Source: firefox-source-docs.mozilla.org, testing/marionette, Protocol. Only what the walk through the guide needs.
"""

from __future__ import annotations

import json
import subprocess
import time
from typing import IO, Any, Final, cast

PORT: Final = 2828
_TOGETHER: Final = """
const win = gBrowser.contentWindow;
const wait = ms => new Promise(done => win.setTimeout(done, ms));
function* deep(root) {
  for (const one of root.querySelectorAll("*")) {
    yield one;
    if (one.shadowRoot) yield* deep(one.shadowRoot);
  }
}
const shown = one => one.getClientRects().length > 0;
const own = one => [...one.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join("").trim();
const words = one => one.localName === "label" ? one.textContent : own(one);  // a letter of a label can be underlined
const name = one => String(one.label || one.getAttribute("label") || words(one)).trim();
const page = () => {
  const frame = win.gSubDialog?._topDialog?._frame;
  return frame?.contentDocument?.querySelector("dialog") ? frame.contentDocument : win.document;
};
const title = () => page().documentElement.getAttribute("title") || page().title;
async function find(wanted, after, fits) {
  for (let tries = 0; tries < 60; tries++) {
    let seen = !after;
    for (const one of deep(page())) {
      if (!shown(one)) continue;
      if (seen && name(one) === wanted && fits(one)) return one;
      if (!seen && name(one) === after) seen = true;
    }
    await wait(100);
  }
  throw new Error(`"${wanted}" is not to be seen`);
}
"""
_PRESS: Final = """
const one = await find(wanted, after, () => true);
for (let tries = 0; tries < 10; tries++) {  // a page that is still being put together takes no click
  (one.shadowRoot?.querySelector("button") || one).click();
  await wait(300);
  if (!value || [...deep(page())].some(e => shown(e) && name(e) === value) || title() === value) return true;
}
throw new Error(`"${value}" does not come`);
"""
_SEE: Final = "await find(wanted, after, () => true); return true;"
_TYPE: Final = """
const label = await find(wanted, after, e => e.localName === "label");
const field = page().getElementById(label.getAttribute("control") || label.getAttribute("for"));
field.focus();
field.value = "";
for (const letter of value) {
  field.value += letter;
  field.dispatchEvent(new (page().defaultView.Event)("input", { bubbles: true }));
}
field.dispatchEvent(new (page().defaultView.Event)("change", { bubbles: true }));
return true;
"""
_TICK: Final = """
const box = await find(wanted, after, e => e.localName === "checkbox");
if (!box.checked) box.click();
return box.checked;
"""
_ACCEPT: Final = """
const button = page().querySelector("dialog").getButton("accept");
if (button.label !== wanted) throw new Error(`the button is "${button.label}"`);
button.click();
await wait(400);
return page() === win.document;
"""
_TITLE: Final = "return title();"


class Firefox:
    """A running Firefox. `stream` leads to its port."""

    def __init__(self, stream: subprocess.Popen[bytes]) -> None:
        self.stream, self.number = stream, 0
        assert self._read()["marionetteProtocol"] == 3
        self.version = str(
            self._ask("WebDriver:NewSession", acceptInsecureCerts=True)["capabilities"]["browserVersion"]
        )
        self._ask("WebDriver:SetTimeouts", script=20000, pageLoad=20000)

    def _read(self) -> Any:
        out = cast(IO[bytes], self.stream.stdout)
        length = b""
        while (letter := out.read(1)) != b":":
            assert letter, "Firefox has ended"
            length += letter
        return json.loads(out.read(int(length)))

    def _ask(self, command: str, **arguments: Any) -> Any:
        self.number += 1
        message = json.dumps([0, self.number, command, arguments]).encode()
        into = cast(IO[bytes], self.stream.stdin)
        into.write(b"%d:%b" % (len(message), message))
        into.flush()
        _, _, error, result = self._read()
        assert error is None, f"{error['error']}: {error['message']}"
        return result

    def _act(self, script: str, wanted: str = "", after: str = "", value: str = "") -> Any:
        self._ask("Marionette:SetContext", value="chrome")
        body = (
            "const [wanted, after, value, done] = arguments;"
            + _TOGETHER
            + f"(async () => {{ {script} }})().then(done, error => done({{ error: String(error) }}));"
        )
        told = self._ask(
            "WebDriver:ExecuteAsyncScript", script=body, args=[wanted, after, value], sandbox="system"
        )["value"]
        assert not (isinstance(told, dict) and "error" in told), told
        return told

    def open(self, url: str) -> None:
        """Open a page and wait for it."""
        self._ask("Marionette:SetContext", value="content")
        self._ask("WebDriver:Navigate", url=url)

    def reads(self, script: str) -> Any:
        """Return what a script in the page returns."""
        self._ask("Marionette:SetContext", value="content")
        return self._ask("WebDriver:ExecuteScript", script=script, args=[])["value"]

    def press(self, name: str, after: str = "", then: str = "") -> None:
        """Click what is called so, below something that is called `after`; `then` this comes to be seen."""
        self._act(_PRESS, name, after, then)

    def sees(self, name: str) -> None:
        """Wait until something is called so."""
        self._act(_SEE, name)

    def types(self, name: str, value: str, after: str = "") -> None:
        """Type into the field that is called so."""
        self._act(_TYPE, name, after, value)

    def ticks(self, name: str) -> None:
        """Tick a box, whatever it was."""
        assert self._act(_TICK, name) is True

    def accepts(self, name: str) -> None:
        """Close the small window with its button of this name."""
        assert self._act(_ACCEPT, name) is True

    def title(self) -> str:
        """Return the title of the small window."""
        return str(self._act(_TITLE))

    def sets(self, setting: str, value: bool) -> None:
        """Set what about:config shows."""
        self._act(f"Services.prefs.setBoolPref(wanted, {str(value).lower()}); return true;", setting)

    def has(self, setting: str) -> bool:
        """Return a setting of about:config."""
        return bool(self._act("return Services.prefs.getBoolPref(wanted);", setting))


def wait_for(stream_of: Any, limit: float = 20.0) -> Firefox:
    """Return the Firefox at the end of a stream, as soon as one is there. `stream_of()` opens a stream."""
    until = time.monotonic() + limit
    while True:
        stream = stream_of()
        try:
            return Firefox(stream)
        except AssertionError:
            stream.kill()
            stream.wait()
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
