using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>The connection ids of all paths of a connection, in both directions.</summary>
internal sealed class PathIds(PathTable paths)
{
    /// <summary>Finds by which path a packet came: the connection id that it was sent to tells.</summary>
    public Path? Find(ReadOnlySpan<byte> id, out ulong sequence)
    {
        foreach (Path path in paths.Known)
        {
            if (path.LocalIds.TryFind(id, out sequence))
            {
                return path;
            }
        }

        sequence = 0;
        return null;
    }

    /// <summary>RFC 9000 section 10.3.1: does a datagram end in the token of an id in use?</summary>
    public bool IsStatelessReset(ReadOnlySpan<byte> lastBytes)
    {
        bool found = false;
        foreach (Path path in paths.Open)
        {
            found |= path.RemoteIds.IsStatelessReset(lastBytes);
        }

        return found;
    }

    /// <summary>After the frames of a packet: connection ids that the peer took back are replaced.</summary>
    /// <param name="path">The path that the packet came by.</param>
    /// <param name="network">And the network.</param>
    public void ReplaceRetired(Path path, Network network)
    {
        foreach (Path one in paths.Open)
        {
            one.Ids.ReplaceRetiredIds(one == path ? network : one.Network);
        }
    }

    /// <summary>Frames wait that give connection ids, or give them back.</summary>
    /// <param name="carrier">The path of the packet that could carry them.</param>
    public bool HaveDataToSend(Path carrier)
    {
        foreach (Path path in paths.Known)
        {
            if (path.LocalIds.HasDataToSend || path.RemoteIds.HasDataToSend(Carrying(carrier, path)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes those frames while they fit.</summary>
    public void WriteFrames(Path carrier, ref WireWriter writer, SentFrameLog log)
    {
        foreach (Path path in paths.Known)
        {
            _ = path.RemoteIds.WriteFrames(ref writer, log, Carrying(carrier, path));
            if (path.LocalIds.HasDataToSend)
            {
                _ = path.LocalIds.WriteFrames(ref writer, log);
            }
        }
    }

    // RFC 9000 section 19.16: an id is not given back in a packet that is sent to it.
    private static ulong Carrying(Path carrier, Path path) =>
        carrier == path ? path.Network.RemoteId.Sequence : ulong.MaxValue;
}
