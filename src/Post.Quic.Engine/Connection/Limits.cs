namespace Post.Quic.Engine.Connection;

/// <summary>
/// Every cap of the engine, each with its reason and the attack that it stops. What a user may set stands in the
/// options; what stands here holds whatever the options say.
/// </summary>
internal static class Limits
{
}
