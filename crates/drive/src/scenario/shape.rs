//! Holds a scenario file against its own schema before it is read, so that an error names the key, the
//! value and the right form; and finds the key of a span for the checks that follow.

use std::ops::Range;

use schemars::generate::SchemaSettings;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ScenarioError, line_of};
use super::file::ScenarioFile;

/// The longest value that an error repeats, in characters.
const LONGEST_SHOWN: usize = 60;

/// A file beside its schema.
struct Shape<'t> {
    text: &'t str,
    schema: Value,
}

/// Checks the shape of a whole file.
///
/// # Errors
///
/// The first key that is unknown or missing, or whose value has another form.
pub(super) fn check(text: &str, file: &DeTable<'_>) -> Result<(), ScenarioError> {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.into_root_schema_for::<ScenarioFile>().to_value();
    let shape = Shape { text, schema };
    shape.table(file, &shape.schema, "", None)
}

impl Shape<'_> {
    fn error(&self, span: Option<&Range<usize>>, problem: String) -> ScenarioError {
        ScenarioError { line: span.map(|span| line_of(self.text, span)), problem }
    }

    /// The schema itself, where it refers to a definition.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/")) {
            Some(name) => &self.schema["$defs"][name],
            None => schema,
        }
    }

    /// The forms that a value may have; a choice has several.
    fn forms<'s>(&'s self, schema: &'s Value) -> Vec<&'s Value> {
        let schema = self.resolved(schema);
        match schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            Some(several) => several.iter().flat_map(|one| self.forms(one)).collect(),
            None => vec![schema],
        }
    }

    fn table(
        &self,
        table: &DeTable<'_>,
        schema: &Value,
        path: &str,
        at: Option<&Range<usize>>,
    ) -> Result<(), ScenarioError> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let own = joined(path, key.get_ref());
            match (schema["properties"].get(&**key.get_ref()), &schema["additionalProperties"]) {
                (Some(known), _) => self.value(value, known, &own)?,
                (None, others @ Value::Object(_)) => self.value(value, others, &own)?,
                (None, Value::Bool(false)) => {
                    let problem = unknown(&own, key.get_ref(), schema);
                    return Err(self.error(Some(&key.span()), problem));
                }
                (None, _) => {}
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !table.contains_key(name) {
                let form = self.expected(&schema["properties"][name]);
                let problem = format!("`{}` is missing; write {form}", joined(path, name));
                return Err(self.error(at, problem));
            }
        }
        Ok(())
    }

    fn value(
        &self,
        value: &Spanned<DeValue<'_>>,
        schema: &Value,
        path: &str,
    ) -> Result<(), ScenarioError> {
        let mut forms = self.forms(schema);
        forms.retain(|form| fits(value.get_ref(), form));
        // The keys say which of several tables is meant; a lone one is checked key by key.
        if forms.len() > 1 {
            forms.retain(|form| is_whole(value.get_ref(), form));
        }
        let Some(form) = forms.first() else {
            let shown = shown(self.text, &value.span());
            let problem = match shown {
                Some(shown) => format!("`{path} = {shown}`: use {}", self.expected(schema)),
                None => format!("`{path}`: use {}", self.expected(schema)),
            };
            return Err(self.error(Some(&value.span()), problem));
        };
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, form, path, Some(&value.span())),
            DeValue::Array(values) => {
                values.iter().try_for_each(|value| self.value(value, &form["items"], path))
            }
            _ => Ok(()),
        }
    }

    /// What is to be written, in words.
    fn expected(&self, schema: &Value) -> String {
        let forms = self.forms(schema);
        let forms = forms.into_iter().filter(|form| form["type"] != "null");
        let mut words: Vec<String> = forms.flat_map(|form| self.words(form)).collect();
        words.dedup();
        any_of(words)
    }

    fn words(&self, form: &Value) -> Vec<String> {
        if let Some(only) = form.get("const") {
            return vec![only.to_string()];
        }
        if let Some(listed) = form["enum"].as_array() {
            return listed.iter().filter(|word| !word.is_null()).map(Value::to_string).collect();
        }
        let bounds = match (form["minimum"].as_u64(), form["maximum"].as_u64()) {
            (Some(least), Some(most)) => format!(" from {least} to {most}"),
            (Some(0), None) => ", 0 or more".into(),
            _ => String::new(),
        };
        let word = |kind: &str| match kind {
            "string" => "a text in quotes".into(),
            "integer" => format!("a whole number{bounds}"),
            "number" => "a number".into(),
            "boolean" => "true or false".into(),
            "array" if form["minItems"] == 2 && form["maxItems"] == 2 => {
                "[fewest, most], two whole numbers".into()
            }
            "array" => match self.expected(&form["items"]) {
                items if items.is_empty() => "a list".into(),
                items => format!("a list `[…]`, each {items}"),
            },
            _ => match form["required"].as_array() {
                Some(keys) => {
                    let keys = keys.iter().filter_map(Value::as_str);
                    format!("a table with {}", keys.collect::<Vec<_>>().join(" and "))
                }
                None => "a table".into(),
            },
        };
        types(form).filter(|kind| *kind != "null").map(word).collect()
    }
}

/// The types that a form allows.
fn types(form: &Value) -> impl Iterator<Item = &str> {
    let several = form["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    form["type"].as_str().into_iter().chain(several)
}

/// Whether the value has that form, as far as its own level goes.
fn fits(value: &DeValue<'_>, form: &Value) -> bool {
    let among = |listed: &Value, text: &str| {
        listed.as_array().is_some_and(|words| words.iter().any(|word| word == text))
    };
    let any = types(form).next().is_none();
    let is = |kind: &str| types(form).any(|own| own == kind);
    match value {
        DeValue::String(text) if form["enum"].is_array() => among(&form["enum"], text),
        DeValue::String(text) => match form.get("const") {
            Some(only) => only == &**text,
            None => any || is("string"),
        },
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            let number = number.map(Value::from).unwrap_or_default();
            let least = form["minimum"].as_f64().unwrap_or(f64::MIN);
            let most = form["maximum"].as_f64().unwrap_or(f64::MAX);
            let within = number.as_f64().is_some_and(|number| least <= number && number <= most);
            any || (is("integer") || is("number")) && within
        }
        DeValue::Float(_) => any || is("number"),
        DeValue::Boolean(_) => any || is("boolean"),
        DeValue::Datetime(_) => any,
        DeValue::Array(values) => {
            let length = values.iter().count() as u64;
            let least = form["minItems"].as_u64().unwrap_or(0);
            let most = form["maxItems"].as_u64().unwrap_or(u64::MAX);
            any || is("array") && least <= length && length <= most
        }
        DeValue::Table(_) => any || is("object"),
    }
}

/// Whether the table has all keys that the form asks for.
fn is_whole(value: &DeValue<'_>, form: &Value) -> bool {
    let DeValue::Table(table) = value else { return true };
    let required = form["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    required.into_iter().all(|key| table.contains_key(key))
}

/// What is said of a key that there is not.
fn unknown(path: &str, key: &str, schema: &Value) -> String {
    let known = schema["properties"].as_object();
    let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let near = known.iter().map(|name| (strsim::jaro_winkler(key, name), *name));
    let near = near.filter(|(likeness, _)| *likeness > 0.8);
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, name)) => format!("unknown key `{}`; did you mean `{name}`?", path.escape_debug()),
        None => format!("unknown key `{}`; use one of {}", path.escape_debug(), known.join(", ")),
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Several words as a choice.
fn any_of(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
        None => String::new(),
    }
}

/// A value as it stands in the file, if it fits into a line.
fn shown<'t>(text: &'t str, span: &Range<usize>) -> Option<&'t str> {
    let written = text.get(span.clone())?;
    let is_short = written.chars().count() <= LONGEST_SHOWN && !written.contains('\n');
    (is_short && !written.is_empty()).then_some(written)
}

/// The key whose value has that span, with the value if it is short: `start.by = "htpp"`. A table is
/// named alone.
pub(super) fn place_of(text: &str, span: &Range<usize>) -> Option<String> {
    let file = DeTable::parse(text).ok()?;
    let (path, is_table) = within(file.get_ref(), span, "")?;
    Some(match shown(text, span).filter(|_| !is_table) {
        Some(value) => format!("{path} = {value}"),
        None => path,
    })
}

fn within(table: &DeTable<'_>, span: &Range<usize>, path: &str) -> Option<(String, bool)> {
    table.iter().find_map(|(key, value)| found(value, span, &joined(path, key.get_ref())))
}

fn found(value: &Spanned<DeValue<'_>>, span: &Range<usize>, path: &str) -> Option<(String, bool)> {
    let deeper = match value.get_ref() {
        DeValue::Table(table) => within(table, span, path),
        DeValue::Array(values) => values.iter().find_map(|value| found(value, span, path)),
        _ => None,
    };
    deeper.or_else(|| {
        let is_table = matches!(value.get_ref(), DeValue::Table(_));
        (value.span() == *span).then(|| (path.to_owned(), is_table))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Scenario, TEMPLATES};

    /// What is said of a file in which one line is another one.
    fn told(old: &str, new: &str) -> String {
        let good = TEMPLATES[0].1;
        let text = good.replacen(old, new, 1);
        assert_ne!(text, good, "{old}");
        Scenario::parse(&text).expect_err(new).to_string()
    }

    #[test]
    fn an_error_names_the_line_the_key_the_value_and_the_right_form() {
        let cases = [
            (
                "by = \"message\"",
                "by = \"htpp\"",
                "`start.by = \"htpp\"`: use \"message\" or \"http\"",
            ),
            (
                "start_delay = [0, 30]",
                "start_delay = \"30ms\"",
                "`workload.start_delay = \"30ms\"`: use [fewest, most], two whole numbers",
            ),
            (
                "start_delay = [0, 30]",
                "start_delay = [30]",
                "`workload.start_delay = [30]`: use [fewest, most], two whole numbers",
            ),
            (
                "runs_per_user = 2",
                "run_per_user = 2",
                "unknown key `workload.run_per_user`; did you mean `runs_per_user`?",
            ),
            ("bystander = true", "bystander = 1", "`workload.bystander = 1`: use true or false"),
            (
                "bystander = true",
                "cancel_percent = 101",
                "`workload.cancel_percent = 101`: use a whole number from 0 to 100",
            ),
            ("users = 50", "users = -1", "`workload.users = -1`: use a whole number"),
            ("users = 50", "users = 1", "`workload.users = 1`: `users` is from 2 to"),
            ("rounds = 4", "rounds = 0", "`workload.rounds = 0`: use 1 or more"),
            ("rounds = 4", "parallel = 3", "`workload.parallel = 3`: `parallel` is from 1 to 2"),
            (
                "run_seconds = 3",
                "run_seconds = 0",
                "`limits.run_seconds = 0`: `run_seconds` is from 1 to 3600",
            ),
            ("version = 1\n", "", "`version` is missing; write a whole number"),
            (
                "by = \"message\"\n",
                "ids = \"unique\"\n",
                "`start.by` is missing; write \"message\" or \"http\"",
            ),
            (
                "ends = [\"agent_error\",",
                "ends = [{ kind = \"x\" },",
                "`events.ends = { kind = \"x\" }`: use a text in quotes, a table with type and agent or a \
                 table with present",
            ),
            ("path = \"/ws\"", "path = \"ws\"", "`events.path = \"ws\"`: `path` begins with `/`"),
            (
                "path = \"/ws\"",
                "path = \"/ws/{{ run }}\"",
                "`events.path = \"/ws/{{ run }}\"`: `{{ run }}` has no value here",
            ),
            (
                "thread_id = \"{{ thread }}\"",
                "thread_id = \"{{ cursor }}\"",
                "`start.json`: `{{ cursor }}` has no value here",
            ),
            (
                "\"serve\", \"--port\", \"{{ port }}\"]\nready",
                "\"serve\", \"--transport\", \"tcp\"]\nready",
                "put `{{ port }}` into `command` or `env`",
            ),
        ];
        for (old, new, wanted) in cases {
            let told = told(old, new);
            assert!(told.contains(wanted), "{new}: {told}");
            assert!(told.starts_with("line ") || new.is_empty(), "{told}");
        }
    }

    #[test]
    fn a_port_in_an_inherited_environment_is_enough() {
        let chat = TEMPLATES[0].1.replace("ready_seconds = 20", "env = { PORT = \"{{ port }}\" }");
        for migrated in ["none", "all"] {
            let told = format!("\"{migrated}\", \"--port\", \"{{{{ port }}}}\"]");
            assert!(chat.contains(&told), "{told}");
        }
        let inherited = chat.replace(", \"--port\", \"{{ port }}\"]", "]");
        Scenario::parse(&inherited).expect("the environment says it");
        Scenario::parse(&inherited.replace("env = {", "# env = {")).expect_err("nothing says it");
    }

    #[test]
    fn no_error_names_a_type_of_the_program() {
        let kinds = ["1", "\"x\"", "true", "[1]", "{ a = 1 }", "1.5"];
        let file: toml::Table = TEMPLATES[0].1.parse().expect("TOML");
        for (table, keys) in file.iter().filter_map(|(name, value)| Some((name, value.as_table()?)))
        {
            for key in keys.keys() {
                for kind in kinds {
                    let mut lines = TEMPLATES[0].1.lines().map(str::to_owned).collect::<Vec<_>>();
                    let begin = format!("{key} = ");
                    let Some(line) = lines.iter_mut().find(|line| line.starts_with(&begin)) else {
                        continue;
                    };
                    *line = format!("{begin}{kind}");
                    if let Err(error) = Scenario::parse(&lines.join("\n")) {
                        let told = error.to_string();
                        let is_plain = ["Table", "struct", "u32", "variant", "length", "untagged"]
                            .iter()
                            .all(|word| !told.contains(word));
                        assert!(is_plain, "{table}.{key} = {kind}: {told}");
                    }
                }
            }
        }
    }
}
