//! The sample of a configuration file: every setting with its meaning, and nothing changed.

use super::setting::{Fallback, Setting};
use super::settings;

/// What the file says of itself. It stands in the project as `deploy/authsome.toml`.
const HEAD: &str = "\
# Every setting, with what counts where nobody says anything: take the `# ` off a line to change it. A variable wins
# over this file: `bind` of [server] is AUTHSOME_SERVER__BIND there. Written by `authsome config --toml`.
";

/// Every setting as a TOML file in which all are comments.
pub fn sample() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for setting in settings() {
        if setting.section != section {
            section = setting.section;
            text.extend(["\n[", section, "]\n"]);
        }
        text += &entry(setting);
    }
    text
}

fn entry(setting: &Setting) -> String {
    let takes = (setting.takes)();
    let (default, value) = match setting.default {
        Fallback::Value(text) => (String::new(), text),
        Fallback::Unset(what_then) => (format!("# Not set: {what_then}.\n"), ""),
    };
    let (help, key) = (setting.help.trim(), setting.key);
    let in_file = if setting.secret {
        format!("# {key}_file = \"\" # instead: the path of a file that holds it\n")
    } else {
        String::new()
    };
    format!("\n# {help}\n# It takes {takes}.\n{default}# {key} = {value:?}\n{in_file}")
}
