use super::level::Level;

/// What is chosen in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<T> {
    pub value: T,
    /// Whether nothing counts that is chosen below.
    pub enforced: bool,
}

/// The order of precedence, and all of it: of what is chosen at each level, from the most general to
/// the most special one, that counts which is the most special; but nothing below the first that is
/// enforced. `None` where nothing is chosen, and the default counts.
pub fn decide<T>(
    choices: impl IntoIterator<Item = (Level, Choice<T>)>,
) -> Option<(Level, Choice<T>)> {
    let mut decided = None;
    for (level, choice) in choices {
        let is_enforced = choice.enforced;
        decided = Some((level, choice));
        if is_enforced {
            break;
        }
    }
    decided
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way in which four levels can choose nothing, something, or something enforced.
    fn every_case() -> impl Iterator<Item = Vec<(Level, Choice<usize>)>> {
        (0..81_usize).map(|case| {
            let chosen = Level::ALL
                .into_iter()
                .enumerate()
                .filter_map(|(at, level)| {
                    let how = case / 3_usize.pow(u32::try_from(at).unwrap()) % 3;
                    let enforced = how == 2;
                    (how > 0).then_some((
                        level,
                        Choice {
                            value: at,
                            enforced,
                        },
                    ))
                });
            chosen.collect()
        })
    }

    #[test]
    fn what_counts_is_chosen_and_nothing_more_general_is_enforced() {
        for case in every_case() {
            let decided = decide(case.clone());
            assert_eq!(decided.is_none(), case.is_empty(), "{case:?}");
            let Some((level, choice)) = decided else {
                continue;
            };
            assert!(case.contains(&(level, choice.clone())), "{case:?}");
            let is_above = |(it, _): &&(Level, Choice<usize>)| *it < level;
            assert!(
                case.iter().filter(is_above).all(|(_, it)| !it.enforced),
                "{case:?}"
            );
            // Whatever is more special is ruled out by it alone.
            let is_last = case.iter().all(|(it, _)| *it <= level);
            assert!(is_last || choice.enforced, "{case:?}");
        }
    }

    #[test]
    fn what_is_enforced_cannot_be_loosened_below_nor_by_taking_away() {
        for case in every_case() {
            let Some(at) = case.iter().position(|(_, it)| it.enforced) else {
                continue;
            };
            let above = case[..=at].to_vec();
            assert_eq!(decide(case), decide(above));
        }
    }
}
