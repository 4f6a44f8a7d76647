//! Skillify: mining of the sessions table. Pure but for the LLM calls.
