//! `rdprobe doctor HOST`: probe, ask what separates the causes best, and say which is left.

use std::io::{self, IsTerminal as _, Write as _};

use rdprobe::network::Tokio;
use rdprobe_diagnosis::symptom::{Question, differential, questions};
use rdprobe_report::{Report, Told};

use crate::Failure;
use crate::args::{Format, OutputArguments, ProbeArguments, Targets};
use crate::output::Output;
use crate::render::Printer;
use crate::run::{Settings, runtime};

/// Questions that are asked at the most.
const ASKED: usize = 3;
/// Bits below which a question is not worth asking.
const WORTH_ASKING: f64 = 0.05;

pub(crate) fn run(
    arguments: &ProbeArguments,
    how: OutputArguments,
    output: &mut Output,
) -> Result<u8, Failure> {
    let (targets, _) = Targets::read(&arguments.hosts, &arguments.file)?;
    let Some(target) = targets.alone() else {
        return Err(Failure::Fault("rdprobe doctor takes one host: rdprobe doctor HOST".into()));
    };
    let settings = Settings::new(arguments, false)?;
    let runtime = runtime(false)?;
    let mut report = runtime.block_on(async {
        let probed = settings.probe(target).run_on(&Tokio).await;
        probed.lingering.finish().await;
        Box::new(probed.report)
    });
    // A resolver that hangs is not waited for.
    runtime.shutdown_background();
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal();
    if asks {
        ask(&mut report)?;
    }
    weigh(&mut report);
    let human = output.format() == Format::Human;
    let mut printer = Printer::new(output, false, how.fail_on);
    printer.report(&report)?;
    let states = printer.finish()?;
    if !asks && human {
        output.write(&flags(&report))?;
    }
    Ok(how.fail_on.exit_code(states).unwrap_or(crate::FAULT))
}

/// Asks as long as an answer separates the causes. Whoever does not know one thing may know another; nothing is asked
/// twice.
fn ask(report: &mut Report) -> io::Result<()> {
    let mut told = report.options.told.clone();
    let mut asked: Vec<&str> = Vec::new();
    while asked.len() < ASKED {
        let open = questions(report, &told);
        let next = open.iter().find(|question| !asked.contains(&question.flag));
        let Some(question) = next.filter(|question| question.gain > WORTH_ASKING) else { break };
        asked.push(question.flag);
        match answer(question)? {
            Reply::Told(answer) => told = *answer,
            Reply::Unknown => {}
            Reply::End => break,
        }
    }
    report.options.told = told;
    Ok(())
}

/// What came back on a question.
enum Reply {
    /// What is told now.
    Told(Box<Told>),
    /// The user does not know.
    Unknown,
    /// Nothing more will come.
    End,
}

/// One question on the terminal.
fn answer(question: &Question) -> io::Result<Reply> {
    let mut terminal = io::stderr().lock();
    writeln!(terminal, "{}", question.text)?;
    for answer in &question.answers {
        writeln!(terminal, "  {}  {}", answer.key, answer.text)?;
    }
    writeln!(terminal, "  ?  I don't know")?;
    loop {
        write!(terminal, "> ")?;
        terminal.flush()?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Ok(Reply::End);
        }
        let key = line.trim().to_ascii_lowercase();
        if key.is_empty() || key.starts_with('?') {
            return Ok(Reply::Unknown);
        }
        let found = question.answers.iter().find(|answer| key.starts_with(answer.key) || key == answer.value);
        if let Some(found) = found {
            return Ok(Reply::Told(Box::new(found.told.clone())));
        }
    }
}

/// The differential by what is told now; without a symptom, by the rest.
fn weigh(report: &mut Report) {
    report.symptom = differential(report, &report.options.told);
}

/// The flags that say what would be asked on a terminal.
fn flags(report: &Report) -> String {
    let open = questions(report, &report.options.told);
    let mut text = String::from("\nThis is no terminal, so nothing was asked. The same is said by:\n");
    for question in open.iter().take(ASKED) {
        let values: Vec<&str> = question.answers.iter().map(|answer| answer.value).collect();
        text.push_str(&format!("  {} {}\n", question.flag, values.join("|")));
    }
    if report.options.told.symptom.is_none() {
        text.push_str("  --symptom \"CODE OR SENTENCE\"\n");
    }
    text
}
