using Post.Sockets.Associations.Connections;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Objects;

/// <content>What becomes of arriving objects and given receipts when the connection is lost, and when there is another one.</content>
internal sealed partial class Inbox
{
    /// <summary>
    /// The connection is lost. What is whole stays. What is not comes again from its beginning: the part that came is dropped, unless the
    /// application reads along, which goes on where it was.
    /// </summary>
    public void OnInterrupted()
    {
        foreach (var item in _arriving.Values.ToArray())
        {
            if (item.IsComplete)
            {
                continue;
            }

            item.Stream = null;
            if (item.IsIncremental)
            {
                item.IsResumed = true;
                continue;
            }

            // It has no end yet, so it is not resolved: its id is free for the copy to come.
            item.IsGone = true;
            Uncharge(item);
            _arriving.Remove(item.Id);
            Unlink(item);
            if (!item.IsReading)
            {
                Discards.Add(item);
            }
        }
    }

    /// <summary>
    /// There is a connection again. All ids below one that the peer has named have ended there: what has not come of them never will. And
    /// the receipts from there on are given again, since nobody knows which of them got lost.
    /// </summary>
    public void OnResumed(long lowest, PendingFrames frames)
    {
        if (lowest > 0)
        {
            OnAbandon(0, lowest - 1);
        }

        _receipts.GiveAgainFrom(lowest, frames);
    }

    /// <summary>Whether all ids below this one can have been given out.</summary>
    public bool IsPossible(long lowest) => lowest <= _ids.Ceiling;

    /// <summary>The copy that a new connection brings of an object that an earlier one has brought in part.</summary>
    private static InboundObject? GoOn(InboundObject item, in ObjectHeader header, TransportStream stream, out PostErrorCode violation)
    {
        // A header without an offset begins at the beginning, unless it asks.
        var offset = header.AsksForStart ? -1 : Math.Max(header.Offset, 0);
        violation = header.PayloadLength == item.PayloadLength ? item.Start.GoOn(offset, item.Received) : PostErrorCode.LengthMismatch;
        if (violation != PostErrorCode.NoError)
        {
            return null;
        }

        item.CopyOffset = offset;
        item.Stream = stream;
        return item;
    }
}
