using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine;

/// <summary>
/// By which paths a stream or a datagram is sent, and on how many of them at a time. It holds for what is sent the first time as well as
/// for what is sent again because it was lost. What has no path at the moment waits.
/// </summary>
/// <param name="Paths">The paths; null, the default, for any.</param>
/// <param name="Copies">
/// On how many paths the same goes at a time, from 1 to 8; 0 is taken for 1. Where fewer of <paramref name="Paths"/> work, it goes on those.
/// A copy that its path has no room for leaves when there is room, before all else, unless what it holds has been acknowledged by then or
/// more than 32 packets wait for the same: the oldest of them is then left out.
/// </param>
public readonly record struct QuicPathBinding(QuicPathSet? Paths = null, int Copies = 1)
{
    internal PathSet Set => Paths?.Value ?? PathSet.Any;

    internal int CopiesOrOne => Math.Max(Copies, 1);

    internal bool IsDefault => Paths is null && Copies <= 1;

    /// <exception cref="ArgumentOutOfRangeException">The number of copies is out of its range.</exception>
    internal void Validate(string parameter)
    {
        if (Copies is < 0 or > Limits.MaxPaths)
        {
            throw new ArgumentOutOfRangeException(parameter, Copies, $"Something is sent on 1 to {Limits.MaxPaths} paths at a time.");
        }
    }
}
