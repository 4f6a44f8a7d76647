//! What recorded sessions seldom show.
