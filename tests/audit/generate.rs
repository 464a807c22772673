//! Makes trees of Python files from real syntax, for the audit's tests and its bench.
//!
//! A file is put together from fragments, each a piece of a module as people write them; some of
//! them use the accessor, and of those it is known how often.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A piece of a module, and how many uses of the accessor it has. `N` becomes a number.
struct Fragment(&'static str, u32);

const HEAD: &str = "\
\"\"\"Module N: routes, services and models of a chat product.\"\"\"

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable

logger = logging.getLogger(__name__)
LIMITS: dict[str, int] = {\"free\": 5, \"pro\": 50, \"team\": N}
";

/// Pieces without a use.
const PLAIN: [&str; 12] = [
    "
@dataclass(frozen=True, slots=True)
class ThreadN:
    \"\"\"A conversation, as it is stored.\"\"\"

    thread_id: str
    owner: str
    messages: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        first = next(iter(self.messages), \"\")
        return first[:40] + (\"...\" if len(first) > 40 else \"\")

    def __len__(self):
        return len(self.messages)
",
    "
async def stream_N(queue: asyncio.Queue[str], *, limit: int = 100, **options):
    # Events are numbered here, and nowhere else.
    sent = 0
    async for event in events(queue, **options):
        if (sent := sent + 1) > limit:
            break
        yield {\"type\": \"agent_thinking\", \"sequence\": sent, **event}
    else:
        yield {\"type\": \"agent_completed\", \"sequence\": sent}
",
    "
def retry_N(times: int, *errors: type[Exception]) -> Callable:
    def decorate(function):
        @wraps(function)
        async def call(*args, **kwargs):
            for attempt in range(times):
                try:
                    return await function(*args, **kwargs)
                except errors as error:
                    logger.warning(\"attempt %d of %s: %r\", attempt, function.__name__, error)
                    await asyncio.sleep(2**attempt)
                finally:
                    metrics[\"attempts\"] += 1
            raise RuntimeError(f\"{function.__name__}: gave up after {times!r:>4} attempts\")

        return call

    return decorate
",
    "
class RepositoryN(Repository[\"RunN\"], table=\"runs_N\"):
    __slots__ = (\"session\", \"_cache\")

    def __init__(self, session, *, cache=None):
        super().__init__(session)
        self._cache = {} if cache is None else cache

    async def find(self, run_id: str, /) -> RunN | None:
        async with self.session.begin() as transaction, self.lock:
            row = await transaction.fetch_one(
                \"SELECT * FROM runs WHERE id = :id AND deleted IS NULL\", {\"id\": run_id}
            )
            return RunN(**row) if row else None

    async def all(self, owner: str) -> list[RunN]:
        rows = await self.session.fetch_all(\"SELECT * FROM runs\")
        return [RunN(**row) for row in rows if row[\"owner\"] == owner and not row[\"deleted\"]]
",
    "
def parse_N(text):
    match text.split():
        case [\"/help\" | \"/h\"]:
            return Help()
        case [\"/run\", str(name), *arguments] if name in AGENTS:
            return Run(name, arguments={k: v for k, _, v in (a.partition(\"=\") for a in arguments)})
        case {\"type\": \"chat\", \"message\": message, **rest}:
            return Chat(message, rest)
        case _:
            raise ValueError(f\"unknown: {text[:20]!r}\")
",
    "
class AgentN(BaseAgent):
    name = \"agent-N\"
    tools: tuple[Tool, ...] = (Search(), Calculate(precision=N))

    async def execute(self, context: UserExecutionContext, prompt: str) -> Result:
        await self.emit(\"agent_started\", run_id=context.run_id)
        answer = await self.llm.ask(prompt, temperature=0.N, stop=[\"\\n\\n\", \"END\"])
        for name, arguments in sorted(answer.calls.items(), key=lambda call: -call[1][\"weight\"]):
            tool = self.find(name)
            if tool is None:
                continue
            result = await asyncio.wait_for(tool(**arguments), timeout=30)
            answer = answer | {name: result}
        return Result(text=answer[\"text\"], tokens=sum(map(len, answer[\"text\"].split())))
",
    "
def total_N(rows: Iterable[tuple[str, int]], *, by=None) -> dict:
    totals: dict[str, int] = {}
    for key, value in rows:
        key = by(key) if by else key
        totals[key] = totals.get(key, 0) + value
    largest, *rest = sorted(totals.items(), key=lambda item: item[1], reverse=True) or [(None, 0)]
    return {\"largest\": largest, \"rest\": dict(rest), \"mean\": sum(totals.values()) // max(1, len(totals))}
",
    "
_handlers_N: dict[str, Callable] = {}


def handles_N(kind: str):
    def register(function):
        _handlers_N.setdefault(kind, function)
        return function

    return register


@handles_N(\"ping\")
async def ping_N(socket, _message):
    await socket.send_json({\"type\": \"pong\", \"at\": time.monotonic()})
",
    "
QUERY_N = \"\"\"
    SELECT thread_id, count(*) AS messages
      FROM messages
     WHERE owner = %(owner)s
  GROUP BY thread_id
    HAVING count(*) > N
\"\"\"
PATTERN_N = re.compile(r\"^(?P<user>[\\w.]+)@(?P<host>[^\\s@]+)$\", re.I | re.X)
MASK_N = 0xFF_FF & ~(1 << 3) | 0b1010
",
    "
class SettingsN(BaseSettings):
    host: str = \"127.0.0.1\"
    port: int = Field(8000 + N, ge=1, le=65535)
    origins: list[str] = Field(default_factory=lambda: [\"http://localhost\"])

    @validator(\"origins\", pre=True, each_item=False)
    @classmethod
    def split(cls, value: str | list[str]) -> list[str]:
        return value.split(\",\") if isinstance(value, str) else value

    class Config:
        env_prefix = \"CHAT_N_\"
        case_sensitive = False
",
    "
@pytest.mark.parametrize((\"text\", \"expected\"), [(\"a\", 1), (\"\", 0), (\"\\u00e9\\N{BULLET}\", 2)])
async def test_length_N(text, expected, client: AsyncClient, caplog):
    response = await client.post(f\"/api/chat/{N}\", json={\"message\": text, \"thread_id\": None})
    assert response.status_code == 200, response.text
    assert len(response.json()[\"message\"]) == expected
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
",
    "
def walk_N(node, depth=0, /, *, visit=print):
    global visited_N
    visited_N = depth
    while node is not None and depth < 1_000:
        visit(\"  \" * depth, node, sep=\"\", end=\"\\n\" if depth else \"\")
        yield from (walk_N(child, depth + 1, visit=visit) for child in node.children)
        del node.parent
        node, depth = node.next, depth + 1
    return lambda *a, key=None, **k: (a, key, k)
",
];

/// Pieces that use the accessor.
const USING: [Fragment; 9] = [
    Fragment(
        "
async def websocket_route_N(socket, user):
    from app.factory import get_agent_instance_factory

    factory = get_agent_instance_factory()
    factory.configure(websocket_bridge=socket.bridge)
    await user.load()
    return await factory.create_agent_instance(\"triage\", user)
",
        2,
    ),
    Fragment(
        "
from app.factory import create_agent_instance_factory, get_agent_instance_factory as legacy_N


class EngineN:
    def __init__(self, factory=None):
        self.factory = factory or legacy_N()
        self.make = legacy_N
",
        3,
    ),
    Fragment(
        "
import app.factory as factory_N


def engines_N(count):
    make = factory_N.get_agent_instance_factory
    first = make()
    return [first, *(factory_N.get_agent_instance_factory() for _ in range(count))]
",
        3,
    ),
    Fragment(
        "
@router.get(\"/agents/N\")
async def agents_N(factory=Depends(get_agent_instance_factory)):
    return {\"agents\": factory.names(), \"by\": f\"{get_agent_instance_factory().name}\"}
",
        2,
    ),
    Fragment(
        "
@patch(\"app.factory.get_agent_instance_factory\")
def test_patched_N(make, monkeypatch):
    monkeypatch.setattr(\"app.factory.get_agent_instance_factory\", lambda: make)
    monkeypatch.setattr(module, 'get_agent_instance_factory', make)
    assert callable(module.get_agent_instance_factory)
",
        4,
    ),
    Fragment(
        "
def near_miss_N(get_agent_instance_factory, log):
    # get_agent_instance_factory is a parameter here.
    log(\"get_agent_instance_factory(): %s\", get_agent_instance_factory())
    return get_agent_instance_factory_N() or reset_get_agent_instance_factory(N)
",
        0,
    ),
    Fragment(
        "
def nested_N(user):
    make: Any = get_agent_instance_factory

    def inner():
        return make().create(user) if user else (lambda: get_agent_instance_factory())()

    class Local:
        factory = get_agent_instance_factory()

        def method(self):
            return self.get_agent_instance_factory()

    return inner, Local
",
        5,
    ),
    Fragment(
        "
def create_N(user_context):
    return create_agent_instance_factory(user_context)
",
        0,
    ),
    Fragment(
        "
if TYPE_CHECKING:
    from app.factory import (
        AgentInstanceFactory,
        get_agent_instance_factory,
    )

try:
    POOL_N = {\"legacy\": get_agent_instance_factory, \"made\": get_agent_instance_factory()}
except (ImportError, AttributeError) as error:
    POOL_N = dict(legacy=getattr(sys.modules[\"app\"], \"get_agent_instance_factory\", None))
",
        4,
    ),
];

/// One file of a tree.
#[derive(Debug)]
pub(crate) struct Made {
    /// Its path within the tree.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// How many uses were planted.
    pub(crate) uses: u32,
}

/// The file of that number: about 8 kB; one in eight uses the accessor, as in a system whose
/// migration is far from its end.
pub(crate) fn file(number: u32) -> Made {
    let mut rng = fastrand::Rng::with_seed(u64::from(number));
    let mut text = HEAD.replace('N', &number.to_string());
    let mut uses = 0;
    let using = number.is_multiple_of(8);
    for at in 0..rng.u32(10..24) {
        let own = number * 100 + at;
        let fragment = if using && at % 4 == 1 {
            let Fragment(fragment, count) = rng.choice(&USING).expect("there are some");
            uses += count;
            fragment
        } else {
            rng.choice(&PLAIN).expect("there are some")
        };
        let _ = write!(text, "\n{}", numbered(fragment, own));
    }
    let folder = ["api", "core", "agents", "services", "tests"][number as usize % 5];
    let path = Path::new("app").join(folder).join(format!("part_{}", number / 100));
    Made { path: path.join(format!("module_{number}.py")), text, uses }
}

/// The fragment with its own names: an `N` that stands for itself or ends a name.
fn numbered(fragment: &str, number: u32) -> String {
    let number = number.to_string();
    let mut text = String::with_capacity(fragment.len() + 64);
    let mut before = ' ';
    let mut rest = fragment.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        let ends = !after.is_alphabetic() && after != '{';
        if c == 'N' && ends && !before.is_uppercase() && before != '\\' {
            text.push_str(&number);
        } else {
            text.push(c);
        }
        before = c;
    }
    text
}

/// Writes a tree of that many files and gives how many bytes and uses it has.
pub(crate) fn write_tree(root: &Path, files: u32) -> (u64, u32) {
    let (mut bytes, mut uses) = (0, 0);
    for number in 0..files {
        let made = file(number);
        let path = root.join(&made.path);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("can be written");
        std::fs::write(&path, &made.text).expect("can be written");
        bytes += made.text.len() as u64;
        uses += made.uses;
    }
    (bytes, uses)
}
