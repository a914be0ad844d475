using System.Diagnostics.CodeAnalysis;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// What was sent and is to be sent again without waiting for its fate, by other paths where there are any, in the clear, oldest first: each waits
/// until one of its paths has room. Whichever copy arrives first settles it; that the others arrive, too, tells nothing new.
/// </summary>
internal sealed class PacketCopies
{
    private readonly ConnectionState _state;
    private readonly List<PacketCopy> _waiting = [];
    private readonly Stack<PacketCopy> _free = new();

    public PacketCopies(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>Something waits for a path.</summary>
    public bool AreAny => _waiting.Count != 0;

    /// <summary>Takes the streams' and datagrams' part of a packet that is being built.</summary>
    /// <param name="payload">Its frames.</param>
    /// <param name="isFull">The last frame ends with its packet, so that nothing may follow it.</param>
    /// <param name="log">Where they are recorded, as the last of the packet's.</param>
    /// <param name="frames">How many they are.</param>
    /// <param name="path">The path that it goes by.</param>
    /// <param name="paths">Those that it may go by.</param>
    /// <param name="copies">By how many others it is to go.</param>
    /// <param name="lastTry">What it repeats for the last time, where it does: see <see cref="PacketCopy.LastTry"/>.</param>
    public void Take(
        ReadOnlySpan<byte> payload, bool isFull, SentFrameLog log, int frames, Path path, PathSet paths, int copies, LastTry? lastTry)
    {
        if (_waiting.Count == Limits.WaitingCopies)
        {
            // What is late is worth least.
            GiveUp(_waiting[0]);
        }

        PacketCopy copy = _free.TryPop(out PacketCopy? used) ? used : new PacketCopy();
        copy.Fill(payload, isFull, log, frames, path.Id, paths, copies, lastTry);
        foreach (ref readonly SentFrame frame in copy.Frames)
        {
            if (frame.Kind == SentFrameKind.Datagram)
            {
                _state.Datagrams.OnCopied(frame, copies);
            }
        }

        _waiting.Add(copy);
    }

    /// <summary>
    /// The oldest copy that a path takes now. A last try is not for what has not been tried at all: it leaves the way to content with a deadline
    /// that is as urgent, and where the window is scarce it comes last.
    /// </summary>
    public bool TryNext(PathWalk walk, long now, [NotNullWhen(true)] out PacketCopy? copy, [NotNullWhen(true)] out Path? path)
    {
        for (int i = 0; i < _waiting.Count; i++)
        {
            copy = _waiting[i];
            path = null;
            if (copy.LastTry is { } lastTry && IsAsUrgentWaiting(lastTry.Class))
            {
                continue;
            }

            if (copy.LastTry?.Deadline < now || !IsOwed(copy) || !walk.TryChooseForCopy(copy, now, out path))
            {
                GiveUp(copy);
                i--;
            }
            else if (path is not null)
            {
                return true;
            }
        }

        copy = null;
        path = null;
        return false;
    }

    /// <summary>It went by another path.</summary>
    public void OnSent(PacketCopy copy, Path path)
    {
        copy.OnSent(path.Id);
        if (copy.Left == 0)
        {
            Release(copy);
        }
    }

    /// <summary>No other path is to take it.</summary>
    public void GiveUp(PacketCopy copy)
    {
        for (; copy.Left > 0; copy.Left--)
        {
            foreach (ref readonly SentFrame frame in copy.Frames)
            {
                if (frame.Kind == SentFrameKind.Datagram)
                {
                    _state.Datagrams.OnLost(frame, _state.Now);
                }
            }
        }

        Release(copy);
    }

    private bool IsAsUrgentWaiting(int urgencyClass) =>
        (_state.Datagrams.TryPeekUrgency(out SendUrgency datagram) && datagram.Class <= urgencyClass && datagram.Deadline != long.MaxValue)
        || (_state.Streams.TryPeekUrgency(out SendUrgency stream) && stream.Class <= urgencyClass && stream.Deadline != long.MaxValue);

    private bool IsOwed(PacketCopy copy)
    {
        foreach (ref readonly SentFrame frame in copy.Frames)
        {
            if (frame.Kind == SentFrameKind.Stream ? !_state.Streams.IsOwed(frame) : !_state.Datagrams.IsOwed(frame))
            {
                return false;
            }
        }

        return true;
    }

    private void Release(PacketCopy copy)
    {
        _waiting.Remove(copy);
        _free.Push(copy);
    }
}
