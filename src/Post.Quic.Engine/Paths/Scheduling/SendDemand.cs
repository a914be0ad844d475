namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>What waits to be sent, as far as it decides by which path it goes.</summary>
/// <param name="Kind">What comes first.</param>
/// <param name="Bytes">How many bytes wait in all, the first included.</param>
internal readonly record struct SendDemand(SendKind Kind, long Bytes);
