//! The documents of teams and of places in them, by name.

mod repo;

pub use self::repo::{
    TeamChanges, add_team_member, all_teams_of, insert_team, move_team_member, remove_team,
    remove_team_member, team, team_count, team_member, team_member_count, team_members, teams,
    teams_by_id, update_team,
};
pub(super) use self::repo::{everybody_in, leave_teams, teams_of_member};
