//! Which functions a request enters by: routes of the usual frameworks, and handler signatures.

use hashbrown::HashMap;

use super::facts::{Fate, Name, Role, ScopeKind, Value};
use super::source_file::File;
use super::text::{argument, first, string};

/// Methods of HTTP, as frameworks name what registers a handler.
const METHODS: [&str; 8] = ["get", "post", "put", "patch", "delete", "options", "head", "all"];

/// What registers a handler for a path and says its methods beside it.
const ROUTES: [&str; 10] = [
    "route",
    "api_route",
    "add_route",
    "add_api_route",
    "add_url_rule",
    "Route",
    "path",
    "re_path",
    "url",
    "add_resource",
];

/// What registers a handler of a WebSocket.
const SOCKETS: [&str; 6] = [
    "websocket",
    "websocket_route",
    "add_api_websocket_route",
    "add_websocket_route",
    "WebSocketRoute",
    "SubscribeMessage",
];

/// The last words of classes whose methods serve requests.
const VIEWS: [&str; 8] = [
    "View",
    "ViewSet",
    "Resource",
    "RequestHandler",
    "APIHandler",
    "Endpoint",
    "Consumer",
    "WebSocketHandler",
];

/// Methods of such classes, besides those of HTTP.
const VIEW_METHODS: [&str; 15] = [
    "dispatch",
    "list",
    "retrieve",
    "create",
    "update",
    "partial_update",
    "destroy",
    "receive",
    "receive_json",
    "on_message",
    "on_receive",
    "on_connect",
    "connect",
    "on_get",
    "on_post",
];

/// First parameters of functions that serve requests.
const REQUESTS: [&str; 4] = ["request", "req", "websocket", "ws"];

/// So many places that bind a name are looked at.
const MOST_PLACES: usize = 16;

/// For each scope, how a request enters the function: `POST /chat`.
pub(super) fn entries(file: &File<'_>) -> Vec<Option<String>> {
    let facts = file.bindings.facts;
    let mut entries: Vec<Option<String>> = vec![None; facts.scopes.len()];
    for (scope, entry) in entries.iter_mut().enumerate() {
        if matches!(facts.scopes[scope].kind, ScopeKind::Function { .. }) {
            *entry = entry_of(file, scope);
        }
    }
    let named: HashMap<usize, usize> = facts
        .scopes
        .iter()
        .enumerate()
        .filter_map(|(at, scope)| Some((scope.name?.start, at)))
        .collect();
    for name in &facts.names {
        let Fate::Argument(Some(callee)) = name.fate else { continue };
        if name.called || !matches!(name.role, Role::Read) {
            continue;
        }
        let label = registered(file, callee);
        let label = label.or_else(|| injected(file, callee, name));
        let Some(label) = label else { continue };
        let text = file.text(name);
        let bound = file.bindings.bound_in(0, text).iter().take(MOST_PLACES);
        let defined = bound.map(|at| facts.names[*at].span);
        for span in defined {
            let at = named.get(&span.start).copied();
            if let Some(at) = at.filter(|at| entries[*at].is_none()) {
                entries[at] = Some(label.clone());
            }
        }
    }
    for (scope, entry) in entries.iter_mut().enumerate() {
        let is_function = matches!(facts.scopes[scope].kind, ScopeKind::Function { .. });
        if entry.is_none() && is_function && !file.is_at_start(scope) {
            *entry = by_signature(file, scope);
        }
    }
    entries
}

fn entry_of(file: &File<'_>, function: usize) -> Option<String> {
    let scope = &file.bindings.facts.scopes[function];
    if file.is_at_start(function) {
        return None;
    }
    let decorated = file.decorators(function).find_map(|name| decorated(file, function, name));
    let given = || scope.given_to.and_then(|callee| registered(file, callee));
    decorated.or_else(given).or_else(|| of_next(file, function)).or_else(|| of_view(file, function))
}

/// `@router.post("/chat")`, `@app.route("/chat", methods=["POST"])`, `@Post("chat")`.
fn decorated(file: &File<'_>, function: usize, name: &Name) -> Option<String> {
    let text = file.text(name);
    let is_nest = METHODS.iter().any(|method| {
        text.eq_ignore_ascii_case(method) && text.starts_with(|c: char| c.is_uppercase())
    });
    let end = name.span.end;
    if !is_nest {
        let is_member = matches!(name.role, Role::Member { .. });
        return is_member.then(|| label(file, text, end, prefix(file, name)))?;
    }
    let path = first(file.bindings.source, end).and_then(string).unwrap_or_default();
    let class = file.class_of(function)?;
    let controller = file.decorators(class).find(|name| file.text(name) == "Controller")?;
    let prefix = first(file.bindings.source, controller.span.end).and_then(string);
    let parts = [prefix.unwrap_or_default(), path].map(|part| part.trim_matches('/'));
    let path = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    Some(format!("{} /{path}", text.to_uppercase()))
}

/// `app.post("/chat", handler)`, `Route("/chat", handler, methods=["POST"])`.
fn registered(file: &File<'_>, callee: super::facts::Span) -> Option<String> {
    let text = callee.of(file.bindings.source);
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_member = last.len() < text.len();
    let last = last.strip_prefix("add_").filter(|last| METHODS.contains(last)).unwrap_or(last);
    match last {
        "use" if is_member => Some("each request (middleware)".into()),
        "on" if is_member => {
            let event = first(file.bindings.source, callee.end).and_then(string)?;
            ["connection", "message", "request"].contains(&event).then(|| format!("event {event}"))
        }
        "middleware" | "addHook" if is_member => Some("each request (middleware)".into()),
        _ => label(file, last, callee.end, String::new()),
    }
}

/// `Depends(current_user)`.
fn injected(file: &File<'_>, callee: super::facts::Span, name: &Name) -> Option<String> {
    let text = callee.of(file.bindings.source);
    let is_injector = matches!(text.rsplit('.').next(), Some("Depends" | "Security"));
    is_injector.then(|| format!("dependency {}", file.text(name)))
}

/// What is registered, by the last name of the callee and its arguments behind that byte.
fn label(file: &File<'_>, last: &str, end: usize, prefix: String) -> Option<String> {
    if !METHODS.contains(&last) && !SOCKETS.contains(&last) && !ROUTES.contains(&last) {
        return None;
    }
    let source = file.bindings.source;
    let path = first(source, end).and_then(string);
    let is_path =
        path.is_some_and(|path| path.is_empty() || path.starts_with(['/', '*', '<', '{']));
    let shown = || format!("{prefix}{}", path.unwrap_or_default());
    if METHODS.contains(&last) {
        return is_path.then(|| format!("{} {}", last.to_uppercase(), shown()).trim().to_owned());
    }
    if SOCKETS.contains(&last) {
        return Some(format!("WebSocket {}", shown()));
    }
    let path = path.filter(|path| !path.is_empty() || !prefix.is_empty())?;
    let methods = argument(source, end, "methods").unwrap_or("GET");
    let method = METHODS.iter().find(|method| methods.to_lowercase().contains(**method));
    let method = method.map_or("ANY".to_owned(), |method| method.to_uppercase());
    // Django's paths begin without a slash.
    let slash = if path.starts_with('/') || !prefix.is_empty() { "" } else { "/" };
    Some(format!("{method} {slash}{}", shown()))
}

/// The prefix of the router that a decorator belongs to: `APIRouter(prefix="/chat")`.
fn prefix(file: &File<'_>, name: &Name) -> String {
    let bindings = file.bindings;
    let Role::Member { of: Some(of) } = name.role else { return String::new() };
    let Some(router) = bindings.facts.name_at(of) else { return String::new() };
    let places = bindings.bound_in(0, bindings.text(router)).iter().take(MOST_PLACES);
    let made = places.clone().find_map(|at| match bindings.facts.names[*at].role {
        Role::Bind(Value::Call(callee)) => bindings.facts.name_at(callee),
        _ => None,
    });
    let end = made.map(|callee| bindings.facts.names[callee].span.end);
    let prefix = end.and_then(|end| {
        argument(bindings.source, end, "prefix")
            .or_else(|| argument(bindings.source, end, "url_prefix"))
    });
    prefix.and_then(string).unwrap_or_default().to_owned()
}

/// `app/api/chat/route.ts` and `pages/api/chat.ts` of Next.
fn of_next(file: &File<'_>, function: usize) -> Option<String> {
    let scope = &file.bindings.facts.scopes[function];
    let name = scope.name?.of(file.bindings.source);
    let (folder, own) = file.path.rsplit_once('/')?;
    let stem = own.split('.').next()?;
    let is_script = !own.ends_with(".py") && scope.parent == Some(0);
    let method = METHODS.iter().any(|method| name.eq_ignore_ascii_case(method));
    let below = |folder: &str, base: &str| {
        let at = format!("/{folder}/").find(&format!("/{base}/"))?;
        let rest = format!("/{folder}/")[at + base.len() + 2..].to_owned();
        let parts = rest.split('/').filter(|part| !part.is_empty() && !part.starts_with('('));
        Some(parts.collect::<Vec<_>>().join("/"))
    };
    if is_script && stem == "route" && method {
        return Some(format!("{} /{}", name.to_uppercase(), below(folder, "app")?));
    }
    let in_pages = is_script && format!("/{folder}/").contains("/pages/api/");
    (in_pages && name == "handler").then(|| {
        let path = below(&format!("{folder}/{stem}"), "pages").unwrap_or_default();
        format!("ANY /{path}")
    })
}

/// A method of a class that serves requests.
fn of_view(file: &File<'_>, function: usize) -> Option<String> {
    let facts = file.bindings.facts;
    let source = file.bindings.source;
    let class = file.class_of(function)?;
    let name = facts.scopes[function].name?.of(source);
    if !METHODS.contains(&name) && !VIEW_METHODS.contains(&name) {
        return None;
    }
    let own = facts.scopes[class].name?;
    let head = source.get(own.end..)?;
    let bases = &head[..head.find([':', '{']).unwrap_or(0)];
    let mut words = bases.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let is_view = words.any(|word| VIEWS.iter().any(|view| word.ends_with(view)));
    is_view.then(|| match METHODS.contains(&name) {
        true => format!("{} {}", name.to_uppercase(), own.of(source)),
        false => format!("{}.{name}", own.of(source)),
    })
}

/// A function whose first parameter is called like a request.
fn by_signature(file: &File<'_>, function: usize) -> Option<String> {
    let own = file.own_names;
    let mut parameters = file.parameters(function).filter(|name| !own.contains(&file.text(name)));
    let is_request = REQUESTS.contains(&file.text(parameters.next()?));
    let qualified = file.bindings.facts.qualified(function, file.bindings.source);
    is_request.then(|| format!("request handler {}", qualified.unwrap_or_default()))
}
