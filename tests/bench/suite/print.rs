//! The report for people.

use super::beside::Beside;
use super::figure::Figure;
use super::goals::{Bound, Goal};
use super::report::Report;
use super::rounds::{Row, limit};
use super::scenario::{About, Kind, Subject};

/// What is measured, and on what.
pub fn beginning(report: &Report) {
    let (machine, options) = (&report.machine, &report.options);
    let text = |name: &str| machine[name].as_str().unwrap_or("unknown");
    println!("{}, Linux {}", text("cpu"), text("kernel"));
    println!(
        "the server, its database, limits and peers on core {}, clients on core {}{}",
        machine["server_core"],
        machine["client_core"],
        if machine["server_core"] == machine["client_core"] {
            ": the same, so that rates say little"
        } else {
            ""
        }
    );
    match &report.mongodb {
        Some(version) => println!("MongoDB {version}, one node"),
        None => println!("MongoDB is not measured: neither MONGOD nor MONGODB_URI is set"),
    }
    println!(
        "bcrypt cost {}; {} rounds of {} s; medians",
        options.cost, options.rounds, options.seconds
    );
}

/// Who is measured, with versions, algorithms and costs.
pub fn subjects(all: &[&mut dyn Subject]) {
    println!();
    for about in all.iter().map(|it| it.about()) {
        if !about.what.is_empty() {
            println!("{}: {}", named(about), about.what);
        }
    }
}

/// All who answered one scenario with so many clients.
pub fn rows(rows: &[Row]) {
    let Some(first) = rows.first() else {
        return;
    };
    println!("\n{}, {} at once", first.scenario.in_words(), first.clients);
    println!(
        "  {:<58} {:>9} {:>9} {:>9} {:>9} {:>9} {:>5} {:>7} {:>7}",
        "", "a second", "p50", "p99", "CPU µs", "+ store", "busy", "× limit", "in CPU"
    );
    for row in rows {
        row_of(rows, row);
    }
}

fn named(about: &About) -> String {
    match about.store {
        Some(store) => format!("{} ({store})", about.name),
        None => about.name.clone(),
    }
}

fn row_of(rows: &[Row], row: &Row) {
    let name = named(&row.about);
    let Some(figure) = &row.figure else {
        let why = row.error.as_deref().unwrap_or("nothing");
        println!("  {name:<58} FAILED: {why}");
        return;
    };
    let limit = limit(rows, row).filter(|_| row.about.kind != Kind::Limit);
    let ratio = |of: fn(&Figure, &Figure) -> f64| {
        limit.map_or_else(String::new, |limit| format!("{:.2}", of(figure, limit)))
    };
    let store = figure.store_cpu_us.map(|it| format!("{it:.1}"));
    println!(
        "  {name:<58} {:>9.1} {:>9} {:>9} {:>9.1} {:>9} {:>5.2} {:>7} {:>7}",
        figure.per_second,
        short(figure.p50_us),
        short(figure.p99_us),
        figure.cpu_us,
        store.unwrap_or_default(),
        figure.busy,
        ratio(|own, limit| own.per_second / limit.per_second),
        ratio(|own, limit| limit.all_cpu_us() / own.all_cpu_us()),
    );
}

/// What it is like beside sign-ins.
pub fn beside(report: &Report) {
    println!(
        "\nwho am I, {} a second, beside sign-ins",
        report.options.beats
    );
    for row in &report.beside {
        let beside = match row.beside {
            Beside::Nothing => "none",
            Beside::AtEase => "six tenths of those that can be",
            Beside::Saturated => "16 at once, again and again",
            Beside::Overloaded => "three times those that can be",
        };
        if let Some(error) = &row.error {
            println!("  {:<8} {beside:<32} FAILED: {error}", row.store);
            continue;
        }
        println!(
            "  {:<8} {beside:<32} p50 {:>8}, p99 {:>8}; {:>6.1} sign-ins a second, p99 {:>8}; \
             {} refused, p50 {}, p99 {}",
            row.store,
            short(row.me_p50_us),
            short(row.me_p99_us),
            row.sign_ins_per_second,
            short(row.sign_in_p99_us),
            row.refused,
            row.refused_p50_us.map_or("-".to_owned(), short),
            row.refused_p99_us.map_or("-".to_owned(), short),
        );
    }
}

/// Everything that comes after that.
pub fn rest(report: &Report) {
    standing(report);
    scale(report);
    println!("\ngoals");
    for goal in &report.goals {
        self::goal(goal);
    }
    let of = |met| report.goals.iter().filter(|goal| goal.met == met).count();
    let (met, not) = (of(Some(true)), of(Some(false)));
    println!(
        "\n{met} goals met, {not} not met, {} not measured",
        of(None)
    );
    println!("{}", report.path().display());
    if report.failures() > 0 {
        println!("{} measurements FAILED", report.failures());
    }
}

fn standing(report: &Report) {
    println!("\nmemory, starts, decisions");
    for row in &report.memory {
        let mib = |kib: u64| kib as f64 / 1024.0;
        println!(
            "  {:<8} PSS {:.1} MiB idle, {:.1} MiB with {} sessions in use; RSS {:.1}, {:.1} MiB{}",
            row.store,
            mib(row.idle_pss_kib),
            mib(row.loaded_pss_kib),
            row.sessions,
            mib(row.idle_rss_kib),
            mib(row.loaded_rss_kib),
            row.error
                .as_ref()
                .map(|why| format!(" FAILED: {why}"))
                .unwrap_or_default(),
        );
    }
    for row in &report.starts {
        println!(
            "  {:<8} ready after {:.1} ms, {:.1} ms at the least, with {} apps and {} users",
            row.store, row.ready_after_ms, row.least_ms, row.apps, row.users
        );
    }
    for row in &report.decisions {
        println!(
            "  a decision among {} organisations {:.2} µs cached, {:.2} µs compiled; compiling {:.0} µs",
            row.organizations, row.cached_us, row.compiled_us, row.compiling_us
        );
    }
}

fn scale(report: &Report) {
    if report.scale.is_empty() {
        return;
    }
    println!("\nCPU µs of an answer but for hashing, with a thousand users and with a million");
    for row in &report.scale {
        let cpu = |figure: &Option<Figure>| {
            let figure = figure.as_ref();
            figure.map_or(f64::NAN, |it| it.besides_hashing_us)
        };
        println!(
            "  {:<8} {:<20} {:>9.1} {:>9.1} {}",
            row.store,
            row.scenario.in_words(),
            cpu(&row.small),
            cpu(&row.large),
            match (&row.growth, &row.error) {
                (Some(growth), None) => format!("{growth:.2} times"),
                (_, why) => format!("FAILED: {}", why.as_deref().unwrap_or("nothing")),
            }
        );
    }
}

fn goal(goal: &Goal) {
    let is = match goal.met {
        Some(true) => "met",
        Some(false) => "NOT MET",
        None => "not measured",
    };
    let bound = match goal.bound {
        Bound::AtLeast(least) => format!("at least {least}"),
        Bound::AtMost(most) => format!("at most {most}"),
    };
    let figure = goal.figure.map(|it| format!("{it:.2}")).unwrap_or_default();
    let store = goal.store.unwrap_or_default();
    println!(
        "  {:>2} {store:<8} {:<82} {figure:>10} {bound:<16} {is}",
        goal.number, goal.what
    );
}

/// A time in three digits or so.
fn short(micros: f64) -> String {
    match micros {
        0.0 => "-".to_owned(),
        ..1e3 => format!("{micros:.0} µs"),
        ..1e6 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}
