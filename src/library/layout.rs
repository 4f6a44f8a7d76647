//! Layouts: where in a target skills are.

/// The folder that skills stand in, in a library of their own.
pub const SKILLS: &str = "skills";

/// The folders that assistants read in a repository that people work in.
const PROJECT_ROOTS: [&str; 2] = [".agents/skills", ".claude/skills"];

/// The files beside the skills that the library may write.
const ROOT_FILES: [&str; 7] = [
    ".claude-plugin/marketplace.json",
    ".claude-plugin/plugin.json",
    ".gitattributes",
    "README.md",
    "RETIRED.md",
    "gemini-extension.json",
    "package.json",
];

/// Where in a target skills stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A library of its own: `skills/`, manifests, README.
    Library,
    /// A repository that people work in: the skills alone, where assistants look for them.
    Project {
        /// The folder below the target's root that people open, `""` for the root itself.
        path: String,
    },
    /// The same, with a managed block of facts in `AGENTS.md` or `CLAUDE.md`.
    Guided {
        /// As of [`Layout::Project`].
        path: String,
    },
}

impl Layout {
    /// The folders that hold skills, each a whole copy; the first one is read.
    pub fn roots(&self) -> Vec<String> {
        match self {
            Self::Library => vec![SKILLS.to_owned()],
            Self::Project { path } | Self::Guided { path } if path.is_empty() => {
                PROJECT_ROOTS.map(str::to_owned).to_vec()
            }
            Self::Project { path } | Self::Guided { path } => {
                PROJECT_ROOTS.map(|root| format!("{path}/{root}")).to_vec()
            }
        }
    }

    /// The files beside the skills.
    pub fn root_files(&self) -> &'static [&'static str] {
        match self {
            Self::Library => &ROOT_FILES,
            Self::Project { .. } | Self::Guided { .. } => &[],
        }
    }

    /// The state's name among the states of several targets of one remote.
    pub fn state_name(&self) -> String {
        match self {
            Self::Library => "library.json".to_owned(),
            Self::Project { path } | Self::Guided { path } if path.is_empty() => "project.json".to_owned(),
            Self::Project { path } | Self::Guided { path } => format!("{path}/project.json"),
        }
    }
}
