namespace Post.Quic.Engine.Connection;

/// <summary>
/// Every cap of the engine, each with its reason and the attack that it stops. What a user may set stands in the
/// options; what stands here holds whatever the options say.
/// </summary>
internal static class Limits
{
    /// <summary>
    /// Entries the log of sent frames keeps while nothing is in flight. Larger rings go back to the pool, so that
    /// 10,000 connections that were busy once do not hold what one busy connection needs.
    /// </summary>
    public const int SentFramesKeptWhenIdle = 4096;

    /// <summary>Entries the ring of sent packets keeps while nothing is in flight; the reason is the same.</summary>
    public const int SentPacketsKeptWhenIdle = 2048;
}
