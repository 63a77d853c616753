//! From messages to rows: which fields fill which columns, and the sink that gathers them as a message is walked.

use std::collections::HashMap;

use serde::Deserialize;

use crate::columns::{Cell, ColumnKind, ColumnSpec, Context, Table, Value};
use crate::format::datetime::DateTime;
use crate::scan::{Stop, Text};
use crate::schema::{FieldKind, ObjectType, Schema};
use crate::sink::Sink;

const NONE: u16 = u16::MAX;

/// What a field of a type is for, at one place of a message.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Which cell its value is kept in.
    slot: u16,
    /// The node of the object, or of the list's objects, that it holds.
    child: u16,
}

const NOTHING: Step = Step { slot: NONE, child: NONE };

/// A place of a message where an object stands that holds something wanted.
#[derive(Debug)]
struct Node {
    /// By the index of the field.
    steps: Box<[Step]>,
    /// The items of a list that rows run through: its depth.
    closes: Option<usize>,
}

/// A column that is filled from a cell. What a column of decimals cannot hold goes to `rest`.
#[derive(Debug)]
struct Fill {
    column: usize,
    slot: u16,
    rest: Option<usize>,
}

/// How a message fills one table.
#[derive(Debug)]
pub struct TablePlan {
    pub table: usize,
    /// By depth: what an item at that depth fills; the message itself at depth 0.
    levels: Vec<Vec<Fill>>,
    constants: Vec<(usize, String)>,
    frame: usize,
    station: usize,
    /// The column that tells the answer's frame: rows of this table wait for it.
    pub answer: Option<usize>,
    answered: Vec<Fill>,
}

/// How a payload is read into cells.
#[derive(Debug)]
pub struct Root {
    node: u16,
    slots: usize,
    which: u32,
}

/// How a message fills tables.
#[derive(Debug)]
pub struct Plan {
    pub request: Root,
    pub response: Root,
    /// At most one runs through lists, and it is the first.
    pub tables: Vec<TablePlan>,
}

/// How the messages of a version fill tables.
#[derive(Debug)]
pub struct Plans {
    nodes: Vec<Node>,
    pub plans: Vec<Plan>,
    /// Index of a request's type -> plan.
    pub of_request: HashMap<u32, usize>,
    /// The values of the enumerations by their number.
    enums: Vec<String>,
}

#[derive(Deserialize)]
struct Model {
    tables: HashMap<String, Vec<ModelColumn>>,
    rows: HashMap<String, HashMap<String, Vec<ModelRows>>>,
}

#[derive(Deserialize)]
struct ModelColumn {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    rest_of: Option<String>,
}

#[derive(Deserialize)]
struct ModelRows {
    table: String,
    columns: Vec<ModelSource>,
    #[serde(default)]
    rows: Vec<String>,
}

#[derive(Deserialize)]
struct ModelSource {
    column: String,
    value: Option<String>,
    part: Option<String>,
    #[serde(default)]
    path: Vec<String>,
}

impl Plans {
    /// Reads `columns.json` for a version and the tables that are wanted, which are made empty. The error says what it got wrong.
    pub fn load(json: &[u8], schema: &Schema, wanted: &[String]) -> Result<(Self, Vec<Table>), String> {
        let model: Model = serde_json::from_slice(json).map_err(|error| format!("columns.json: {error}"))?;
        let tables = wanted
            .iter()
            .map(|name| {
                let columns = model.tables.get(name).ok_or_else(|| format!("there is no table {name}"))?;
                Ok(Table::new(columns.iter().map(spec).collect::<Result<_, String>>()?))
            })
            .collect::<Result<Vec<_>, String>>()?;
        let enums = schema.enums.iter().flat_map(|of| of.values.iter().cloned()).collect();
        let mut plans = Self { nodes: Vec::new(), plans: Vec::new(), of_request: HashMap::new(), enums };
        let module = format!("v{}", schema.version.replace('.', ""));
        for (action, entries) in model.rows.get(&module).into_iter().flatten() {
            plans.message(schema, action, entries, wanted, &tables, &model.tables)?;
        }
        Ok((plans, tables))
    }

    fn message(
        &mut self,
        schema: &Schema,
        action: &str,
        entries: &[ModelRows],
        wanted: &[String],
        tables: &[Table],
        columns: &HashMap<String, Vec<ModelColumn>>,
    ) -> Result<(), String> {
        let message = schema.message(action).ok_or_else(|| format!("{action} is no action"))?;
        let (Some(request), Some(response)) = (message.request, message.response) else {
            return Err(format!("{action} is no call"));
        };
        let mut request = self.root(schema, request);
        let mut response = self.root(schema, response);
        let mut found: Vec<TablePlan> = Vec::new();
        for entry in entries {
            let Some(table) = wanted.iter().position(|name| *name == entry.table) else { continue };
            let column = |name: &str| tables[table].find(name).ok_or_else(|| format!("there is no column {name}"));
            let mut plan = TablePlan {
                table,
                levels: (0..=entry.rows.len()).map(|_| Vec::new()).collect(),
                constants: Vec::new(),
                frame: column("frame")?,
                station: column("station")?,
                answer: tables[table].find("answer"),
                answered: Vec::new(),
            };
            if entry.rows.len() > DEEPEST {
                return Err(format!(
                    "{action} runs through {} lists, at most {DEEPEST} are supported",
                    entry.rows.len()
                ));
            }
            for depth in 1..=entry.rows.len() {
                let (node, _) = self.node(schema, &request, &entry.rows[..depth])?;
                self.nodes[usize::from(node)].closes = Some(depth);
            }
            for source in &entry.columns {
                let index = column(&source.column)?;
                if let Some(value) = &source.value {
                    plan.constants.push((index, value.clone()));
                    continue;
                }
                let rest = columns[&entry.table]
                    .iter()
                    .position(|other| other.rest_of.as_deref() == Some(source.column.as_str()));
                let is_answer = source.part.as_deref() == Some("response");
                let root = if is_answer { &mut response } else { &mut request };
                let slot = self.slot(schema, root, &source.path)?;
                let fill = Fill { column: index, slot, rest };
                if is_answer {
                    plan.answered.push(fill);
                } else {
                    let depth = source.path.iter().zip(&entry.rows).take_while(|(step, list)| step == list).count();
                    plan.levels[depth].push(fill);
                }
            }
            if entry.rows.is_empty() {
                found.push(plan);
            } else if found.first().is_some_and(|first| first.levels.len() > 1) {
                return Err(format!("{action} fills two tables with the items of lists"));
            } else {
                found.insert(0, plan);
            }
        }
        if !found.is_empty() {
            if let Some(which) = message.request {
                self.of_request.insert(which, self.plans.len());
            }
            self.plans.push(Plan { request, response, tables: found });
        }
        Ok(())
    }

    fn root(&mut self, schema: &Schema, which: u32) -> Root {
        Root { node: self.new_node(schema, which), slots: 0, which }
    }

    fn new_node(&mut self, schema: &Schema, which: u32) -> u16 {
        let steps = vec![NOTHING; schema.types[which as usize].fields.len()];
        self.nodes.push(Node { steps: steps.into(), closes: None });
        (self.nodes.len() - 1) as u16
    }

    /// The node at the end of a path of objects, and its type.
    fn node(&mut self, schema: &Schema, root: &Root, path: &[String]) -> Result<(u16, u32), String> {
        let (mut node, mut which) = (root.node, root.which);
        for step in path {
            let field = find(schema, which, step)?;
            let FieldKind::Object(inner) = schema.types[which as usize].fields[field].kind else {
                return Err(format!("{step} is no object"));
            };
            which = inner;
            let child = self.nodes[usize::from(node)].steps[field].child;
            node = if child == NONE {
                let child = self.new_node(schema, which);
                self.nodes[usize::from(node)].steps[field].child = child;
                child
            } else {
                child
            };
        }
        Ok((node, which))
    }

    /// The cell for the value at the end of a path.
    fn slot(&mut self, schema: &Schema, root: &mut Root, path: &[String]) -> Result<u16, String> {
        let (last, before) = path.split_last().ok_or("an empty path")?;
        let (node, which) = self.node(schema, root, before)?;
        let field = find(schema, which, last)?;
        let slot = &mut self.nodes[usize::from(node)].steps[field].slot;
        if *slot == NONE {
            *slot = root.slots as u16;
            root.slots += 1;
        }
        Ok(*slot)
    }

    /// What cells of a frame refer to.
    fn context<'c>(&'c self, text: &'c [u8]) -> Context<'c> {
        Context { text, enums: &self.enums }
    }

    fn fill(&self, fills: &[Fill], cells: &[Cell], text: &[u8], table: &mut Table, from: usize) {
        let mut unescaped = Vec::new();
        for fill in fills {
            let value = cells[usize::from(fill.slot)].value(&self.context(text), &mut unescaped);
            if !table.fill(fill.column, from, value)
                && let Some(rest) = fill.rest
            {
                table.fill(rest, from, value);
            }
        }
    }

    /// Fills the tables of a message that has been walked to its end. Rows that wait for an answer come back.
    pub fn finish(
        &self,
        plan: usize,
        walked: &Cells,
        text: &[u8],
        tables: &mut [Table],
        frame: i64,
        station: Option<&[u8]>,
    ) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        let Cells { cells, items } = walked;
        for (index, of) in self.plans[plan].tables.iter().enumerate() {
            if of.answer.is_some() {
                let mut kept = Vec::new();
                let cells = cells.iter().map(|cell| cell.moved(text, &mut kept)).collect();
                waiting.push(Waiting { plan, table: index, frame, station: station.map(Box::from), cells, text: kept });
                continue;
            }
            let table = &mut tables[of.table];
            let from = table.rows;
            table.rows += if of.is_listed() { items.len() / cells.len().max(1) } else { 1 };
            if table.rows == from {
                continue;
            }
            for fill in of.levels[1..].iter().flatten() {
                let column = items.iter().skip(usize::from(fill.slot)).step_by(cells.len().max(1));
                table.extend(fill.column, fill.rest, from, column, &self.context(text));
            }
            self.fill(&of.levels[0], cells, text, table, from);
            of.mark(table, from, frame, station);
        }
        waiting
    }

    /// Adds a row that has waited, with the frame that answered it and what that says, if anything: cells and their text.
    pub fn complete(&self, row: &Waiting, answer: Option<i64>, says: Option<(&[Cell], &[u8])>, tables: &mut [Table]) {
        let of = &self.plans[row.plan].tables[row.table];
        let table = &mut tables[of.table];
        let from = table.rows;
        table.rows += 1;
        self.fill(&of.levels[0], &row.cells, &row.text, table, from);
        if let Some((cells, text)) = says {
            self.fill(&of.answered, cells, text, table, from);
        }
        if let (Some(column), Some(answer)) = (of.answer, answer) {
            table.fill(column, from, Value::Int(answer));
        }
        of.mark(table, from, row.frame, row.station.as_deref());
    }
}

impl TablePlan {
    /// What every row of a message has.
    fn mark(&self, table: &mut Table, from: usize, frame: i64, station: Option<&[u8]>) {
        for (column, text) in &self.constants {
            table.fill(*column, from, Value::Text(text.as_bytes()));
        }
        table.fill(self.frame, from, Value::Int(frame));
        if let Some(station) = station {
            table.fill(self.station, from, Value::Text(station));
        }
    }

    /// Whether its rows are the items of lists, and not messages.
    fn is_listed(&self) -> bool {
        self.levels.len() > 1
    }
}

fn spec(column: &ModelColumn) -> Result<ColumnSpec, String> {
    let kind = match column.kind.as_str() {
        "int" => ColumnKind::Int,
        "decimal" => ColumnKind::Decimal,
        "time" => ColumnKind::Time,
        "bool" => ColumnKind::Bool,
        "text" => ColumnKind::Text,
        "choice" => ColumnKind::Choice,
        other => return Err(format!("{other} is no type of column")),
    };
    Ok(ColumnSpec { name: column.name.clone(), kind })
}

fn find(schema: &Schema, which: u32, field: &str) -> Result<usize, String> {
    let of = &schema.types[which as usize];
    of.find(field.as_bytes()).ok_or_else(|| format!("{} has no field {field}", of.name))
}

/// A row that waits for an answer.
#[derive(Debug)]
pub struct Waiting {
    plan: usize,
    table: usize,
    frame: i64,
    station: Option<Box<[u8]>>,
    cells: Vec<Cell>,
    /// What its cells refer to.
    text: Vec<u8>,
}

impl Waiting {
    /// The plan of the message that it comes from.
    pub fn plan(&self) -> usize {
        self.plan
    }
}

/// The cells of a walk: those of the message, and for each item of its lists that gives a row a copy of all with what it says.
#[derive(Debug, Default)]
pub struct Cells {
    pub cells: Vec<Cell>,
    items: Vec<Cell>,
}

/// How many lists rows may run through, one inside the other.
const DEEPEST: usize = 3;

/// The sink that reads a payload into cells. Columns are filled when it has been walked to its end: a fault leaves nothing behind.
#[derive(Debug)]
pub struct Rows<'p, 't> {
    plans: &'p Plans,
    listed: Option<&'p TablePlan>,
    text: &'t [u8],
    cells: &'p mut Cells,
    /// Where the walk is, and what the fields are for there.
    node: u16,
    steps: &'p [Step],
    /// The node of the object that comes next, if one does, and the cell for the value that does.
    next: u16,
    slot: u16,
    /// By depth, where the items begin that belong to the one that the walk is in.
    starts: [usize; DEEPEST + 1],
}

impl<'p, 't> Rows<'p, 't> {
    /// For a request: its lists give rows.
    pub fn of_request(plans: &'p Plans, plan: usize, text: &'t [u8], cells: &'p mut Cells) -> Self {
        let listed = plans.plans[plan].tables.first().filter(|of| of.is_listed());
        Self::new(plans, &plans.plans[plan].request, listed, text, cells)
    }

    /// For an answer, which completes a row.
    pub fn of_answer(plans: &'p Plans, plan: usize, text: &'t [u8], cells: &'p mut Cells) -> Self {
        Self::new(plans, &plans.plans[plan].response, None, text, cells)
    }

    fn new(plans: &'p Plans, root: &Root, listed: Option<&'p TablePlan>, text: &'t [u8], cells: &'p mut Cells) -> Self {
        cells.cells.clear();
        cells.cells.resize(root.slots, Cell::NULL);
        cells.items.clear();
        let starts = [0; DEEPEST + 1];
        Self { plans, listed, text, cells, node: NONE, steps: &[], next: root.node, slot: NONE, starts }
    }

    /// Keeps the value of the field that the walk is in.
    #[inline(always)]
    fn put(&mut self, value: Cell) -> Result<(), Stop> {
        if let Some(cell) = self.cells.cells.get_mut(usize::from(self.slot)) {
            *cell = value;
        }
        Ok(())
    }

    /// Goes to a node; the one before.
    #[inline(always)]
    fn go(&mut self, node: u16) -> u16 {
        self.steps = self.plans.nodes.get(usize::from(node)).map_or(&[], |node| &node.steps);
        std::mem::replace(&mut self.node, node)
    }

    /// An item at a depth of the lists is complete.
    #[inline]
    fn close(&mut self, depth: usize) {
        let Some(of) = self.listed else { return };
        let Cells { cells, items } = &mut *self.cells;
        let fills = &of.levels[depth];
        if depth + 1 == of.levels.len() {
            items.extend_from_slice(cells);
        } else {
            // What stands beside a list belongs to all of its items.
            for item in items[self.starts[depth]..].chunks_exact_mut(cells.len().max(1)) {
                for fill in fills {
                    item[usize::from(fill.slot)] = cells[usize::from(fill.slot)];
                }
            }
        }
        for fill in fills {
            cells[usize::from(fill.slot)] = Cell::NULL;
        }
        self.starts[depth..].fill(items.len());
    }
}

impl Sink for Rows<'_, '_> {
    // A value goes to its cell as it is met: handed on, it would take the way through memory at every field.
    type Value = ();
    type Object = u16;
    type List = u16;

    #[inline(always)]
    fn string(&mut self, text: &Text<'_>) -> Result<(), Stop> {
        let start = text.raw.as_ptr() as usize - self.text.as_ptr() as usize;
        self.put(Cell::text(start, text.raw.len(), text.escaped))
    }
    #[inline(always)]
    fn enumeration(&mut self, number: usize) -> Result<(), Stop> {
        self.put(Cell::enumerated(number))
    }
    #[inline(always)]
    fn integer(&mut self, value: i64) -> Result<(), Stop> {
        self.put(Cell::int(value))
    }
    #[inline(always)]
    fn number(&mut self, value: f64) -> Result<(), Stop> {
        self.put(Cell::decimal(value))
    }
    #[inline(always)]
    fn boolean(&mut self, value: bool) -> Result<(), Stop> {
        self.put(Cell::bool(value))
    }
    #[inline(always)]
    fn null(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn datetime(&mut self, value: &DateTime) -> Result<(), Stop> {
        if self.slot == NONE {
            return Ok(());
        }
        self.put(Cell::time(value.unix_micros()))
    }
    #[inline(always)]
    fn object(&mut self, _: &ObjectType, _: u32) -> Result<u16, Stop> {
        Ok(self.go(self.next))
    }
    #[inline(always)]
    fn enter_field(&mut self, _: &ObjectType, index: usize) {
        Step { slot: self.slot, child: self.next } = self.steps.get(index).copied().unwrap_or(NOTHING);
    }
    #[inline(always)]
    fn field(&mut self, _: &mut u16, _: &ObjectType, _: usize, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn finish(&mut self, object: u16, _: u128) -> Result<(), Stop> {
        if self.node != NONE
            && let Some(depth) = self.plans.nodes[usize::from(self.node)].closes
        {
            self.close(depth);
        }
        self.go(object);
        Ok(())
    }
    // Nothing inside what is free-form is wanted.
    #[inline(always)]
    fn dict(&mut self) -> Result<u16, Stop> {
        self.slot = NONE;
        Ok(self.go(NONE))
    }
    #[inline(always)]
    fn enter_entry(&mut self, _: &Text<'_>) {
        self.slot = NONE;
    }
    #[inline(always)]
    fn entry(&mut self, _: &mut u16, _: &Text<'_>, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn finish_dict(&mut self, object: u16) -> Result<(), Stop> {
        self.go(object);
        Ok(())
    }
    #[inline(always)]
    fn list(&mut self) -> Result<u16, Stop> {
        Ok(self.next)
    }
    #[inline(always)]
    fn item(&mut self, list: &mut u16, (): ()) -> Result<(), Stop> {
        self.next = *list; // the item has had its own
        Ok(())
    }
    #[inline(always)]
    fn finish_list(&mut self, _: u16) -> Result<(), Stop> {
        Ok(())
    }
}
