//! How machine text looks, client by client.

/// How a text begins that a client wrote, and the client.
pub(super) struct Mark {
    /// The beginning.
    pub(super) text: &'static str,
    /// The client that writes this mark, for readers and tests of the list.
    #[cfg_attr(not(test), allow(dead_code, reason = "tests go by it"))]
    pub(super) by: &'static str,
}

const fn of(by: &'static str, text: &'static str) -> Mark {
    Mark { text, by }
}

/// Names in [`CONTEXT`] that people write as well: a text is theirs if no other mark surrounds it.
pub(super) const PEOPLES: &[&str] = &["context", "instructions", "rules"];

/// Elements that a client writes before or behind a person's words: the time, the workspace, what an editor
/// shows, reminders. They are taken off where they stand at an edge of the text.
pub(super) const CONTEXT: &[&str] = &[
    // GitHub Copilot.
    "attachments",
    "context",
    "current_datetime",
    "editorContext",
    "environment_info",
    "reminder",
    "reminderInstructions",
    "repoContext",
    "workspace_info",
    "skill-context",
    // Codex.
    "environment_context",
    "instructions",
    "user_instructions",
    "INSTRUCTIONS",
    "recommended_plugins",
    "goal_context",
    "codex_internal_context",
    // Claude Code.
    "system-reminder",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "new-diagnostics",
    "user-prompt-submit-hook",
    "session-start-hook",
    "local-command-caveat",
    "post-tool-use-hook",
    // Gemini CLI and Qwen Code.
    "session_context",
    "hook_context",
    // Cursor.
    "user_info",
    "system_reminder",
    "additional_data",
    "open_and_recently_viewed_files",
    "rules",
    "project_layout",
    "git_status",
    "agent_transcripts",
    "manually_attached_skills",
    // Cline, Roo, Kilo.
    "environment_details",
    "explicit_instructions",
    "file_content",
    "folder_content",
    "workspace_diagnostics",
    // opencode.
    "system-notification",
];

/// Elements that tell of something that ended meanwhile.
pub(super) const NOTIFICATIONS: &[&str] = &[
    // Claude Code 2.
    "task-notification",
    "background-task-notification",
    "bash-notification",
    "agent-notification",
    // Codex 0.9x and later.
    "subagent_notification",
    // Cursor 2.
    "system_notification",
];

/// Elements that hold a person's own words.
pub(super) const WORDS: &[&str] =
    &["userRequest", "user_query", "user_request", "task", "feedback", "user_message", "answer"];

/// How a text begins that stands before a person's words, and the mark behind which they stand.
pub(super) const PREFACES: &[(&str, &str)] = &[
    // Codex.
    ("# Context from my IDE setup:", "## My request for Codex:"),
    ("# Files mentioned by the user:", "## My request for Codex:"),
    ("# AGENTS.md instructions", "</INSTRUCTIONS>"),
];

/// Elements that are a client's whatever stands behind them.
pub(super) const BODIES: &[&str] = &[
    // Claude Code: commands that the person ran in the client's own shell, and the output of the client's commands.
    "bash-input",
    "bash-stdout",
    "bash-stderr",
    "local-command-stdout",
    "local-command-stderr",
    "command-contents",
    "persisted-output",
    "retrieval_status",
    "tool_use_error",
    // Codex.
    "skill",
    "user_shell_command",
    "user_action",
    // Gemini CLI and Qwen Code.
    "state_snapshot",
    "compression_summary",
    // Goose, opencode and others, of a conversation that was cut short.
    "conversation-summary",
    "conversation_summary",
    "summary",
];

/// How a client says that the person stopped the assistant.
pub(super) const INTERRUPTS: &[&str] = &[
    // Claude Code.
    "[Request interrupted by user",
    // Codex.
    "<turn_aborted>",
    // opencode, Cline and others.
    "[Request aborted by user]",
    "[Response interrupted by user",
    "[User cancelled",
];

/// Slash commands by which a person works the client and asks the assistant for nothing.
pub(super) const ACTIONS: &[&str] = &[
    "add-dir",
    "agents",
    "clear",
    "compact",
    "config",
    "context",
    "cost",
    "doctor",
    "exit",
    "export",
    "fast",
    "fork",
    "help",
    "hooks",
    "ide",
    "login",
    "logout",
    "mcp",
    "memory",
    "model",
    "new",
    "output-style",
    "permissions",
    "plugin",
    "plugins",
    "quit",
    "rename",
    "resume",
    "rewind",
    "stats",
    "status",
    "statusline",
    "tasks",
    "terminal-setup",
    "theme",
    "todos",
    "upgrade",
    "usage",
    "vim",
];

/// How machine text begins.
pub(super) const OPENINGS: &[Mark] = &[
    // Of a conversation that was compacted: the request for a summary, and the summary.
    of("claude-code", "This session is being continued from a previous conversation"),
    of("claude-code", "Your task is to create a detailed summary of the conversation so far"),
    of("claude-code", "Your task is to create a detailed summary of the RECENT portion of the conversation"),
    of("codex", "You are performing a CONTEXT CHECKPOINT COMPACTION"),
    of("codex", "Another language model started to solve this problem and produced a summary"),
    of(
        "codex",
        "You have exceeded the maximum number of tokens, please stop coding and instead write a short memento",
    ),
    of(
        "codex",
        "You were originally given instructions from a user over one or more turns. Here were the user",
    ),
    of("gemini-cli", "First, reason in your scratchpad. Then, generate the"),
    of("gemini-cli", "This is a system-generated summary"),
    of("opencode", "Provide a detailed prompt for continuing our conversation above"),
    of("opencode", "Summarize our conversation above. This summary will be the only context"),
    of("opencode", "Continue if you have next steps, or stop and ask for clarification if you are unsure"),
    of("copilot", "Please create a detailed summary of the conversation so far"),
    of("copilot", "Summarize the conversation history so far, paying special attention to"),
    of("copilot", "The following is a compressed version of the preceeding history"),
    of("cline", "The current conversation is rapidly running out of context"),
    of("cline", "[NOTE] Some previous conversation history with the user has been removed"),
    of("goose", "The conversation was summarised because"),
    of("pi", "The conversation history before this point was compacted into the following summary"),
    of("openhands", "You are maintaining a context-aware state summary"),
    of("langchain", "Here is a summary of the conversation to date"),
    of("langchain", "<role>\nContext Extraction Assistant\n</role>"),
    // Titles and questions that a client asks for its own ends.
    of("claude-code", "Please write a 5-10 word title"),
    of("opencode", "Generate a title for this conversation"),
    of("copilot", "Please write a brief title for the following request"),
    of(
        "codex",
        "You are a helpful assistant. You will be presented with a user prompt, and your job is to provide a short title",
    ),
    of("gemini-cli", "Analyze *only* the content and structure of your immediately preceding response"),
    of("gemini-cli", "System: Potential loop detected"),
    of("gemini-cli", "System: Please continue"),
    // Bodies of skills and of commands.
    of("claude-code", "Base directory for this skill:"),
    of("claude-code", "Launching skill:"),
    of("claude-code", "Caveat: The messages below were generated by the user while running local commands"),
    of("opencode", "# Skill:"),
    // What hooks say.
    of("claude-code", "Stop hook feedback:"),
    of("claude-code", "SubagentStop hook feedback:"),
    of("claude-code", "UserPromptSubmit hook success:"),
    of("claude-code", "SessionStart hook additional context:"),
    of("claude-code", "PreToolUse hook additional context:"),
    of("claude-code", "PreToolUse hook error:"),
    of("claude-code", "PostToolUse hook error:"),
    of("claude-code", "UserPromptSubmit hook additional context:"),
    of("claude-code", "PostToolUse hook additional context:"),
    of("claude-code", "TeammateIdle hook feedback:"),
    of("claude-code", "Operation stopped by hook"),
    of("copilot", "Stop hook blocked:"),
    // Whoever resumes.
    of("cline", "[TASK RESUMPTION]"),
    // Answers that did not fit.
    of("pydantic-ai", "Validation feedback:"),
    of("pydantic-ai", "Plain text responses are not permitted, please include your response in a tool call"),
    of("cline", "[ERROR] You did not use a tool in your previous response"),
    of("cline", "[Context: You did not use a tool"),
    of("instructor", "Validation Error found:"),
    of("instructor", "Recall the function correctly, fix the errors"),
    of("instructor", "Correct your JSON ONLY RESPONSE, based on the following errors"),
    of("langchain", "Your last response did not match the expected format"),
    of("langchain", "Invalid Format:"),
    of("langchain", "Could not parse LLM output:"),
    of("smolagents", "Error in code parsing:"),
    of("smolagents", "Error in generating model output:"),
    of("llama-index", "Error: Could not parse output. Please follow the thought-action-input format."),
    of("crewai", "I did it wrong. Invalid Format"),
    of("crewai", "I did it wrong. Tried to both perform Action and give a Final Answer"),
    of("swe-agent", "Your output was not formatted correctly"),
    of("swe-agent", "Please always provide EXACTLY ONE action"),
    of("swe-agent", "OBSERVATION:"),
    of("aider", "The LLM did not conform to the edit format."),
    of("openhands", "Please continue working on the task on whatever approach you think is suitable."),
    // Sub-agents and background work that report to the agent.
    of("codex", "Sub-agent notification:"),
    of("claude-code", "A background agent completed a task:"),
    of("claude-code", "Human: <task-notification>"),
    of("copilot", "[system notification]"),
    of("claude-code", "[SYSTEM NOTIFICATION"),
];

/// How machine text ends, each with something that stands before it. The full stop at the end is left out.
pub(super) const ENDS: &[(&str, &str)] = &[
    // Pydantic AI.
    ("alidation error", "Fix the errors and try again"),
    ("Unknown tool name", "Fix the errors and try again"),
    ("not permitted", "Fix the errors and try again"),
    // smolagents.
    ("Now let's retry", "take care not to repeat previous errors"),
    // LangGraph and LangChain.
    ("rror", "Please fix your mistakes"),
    // Instructor.
    ("alidation error", "fix the errors and exceptions found"),
];
