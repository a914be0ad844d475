namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>What a loss may have taken away and is given back where it was none (draft-ietf-ccwg-bbr section 5.5.11).</summary>
/// <param name="State">The state that was left because of it; null where none was.</param>
/// <param name="Bandwidth">BBR.bw_shortterm.</param>
/// <param name="ShortTermInflight">BBR.inflight_shortterm.</param>
/// <param name="LongTermInflight">BBR.inflight_longterm.</param>
internal readonly record struct BbrUndo(BbrState? State, long Bandwidth, long ShortTermInflight, long LongTermInflight);
