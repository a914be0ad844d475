namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>What waits to be sent, as far as it decides by which path it goes.</summary>
/// <param name="Kind">What comes first.</param>
/// <param name="Bytes">How many bytes are to be sent as soon as the first, which is among them, or before it: those that are expected as well as those that wait.</param>
internal readonly record struct SendDemand(SendKind Kind, long Bytes);
