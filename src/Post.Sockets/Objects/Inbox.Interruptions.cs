using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <content>What becomes of arriving objects and given receipts when the connection is lost, and when there is another one.</content>
internal sealed partial class Inbox
{
    /// <summary>Bytes of memory that objects hold which have not arrived whole.</summary>
    public long UnfinishedBytes => Incomplete.Sum(static item => item.UnfinishedBytes);

    private IEnumerable<InboundObject> Incomplete => _arriving.Values.Where(static item => item.Phase == InboundPhase.Arriving);

    /// <summary>
    /// The connection is lost. What is whole stays. What is not goes on where it is, as far as the peer can be told of it and there is room;
    /// the rest comes again from its beginning, and what came of it is dropped, unless the application has it.
    /// </summary>
    /// <param name="room">Bytes that may be held for what is not whole.</param>
    public void OnInterrupted(long room)
    {
        var places = _peer.Has(HelloFeatures.Offsets) ? ProtocolLimits.MaxHeldObjects : 0;
        InboundObject[] incomplete = [.. Incomplete];
        var kept = Unfinished.Choose(incomplete, places, room);
        foreach (var item in incomplete)
        {
            item.Stream = null;
            item.Start.Interrupt();
            item.IsResumed = true;
            if (item.Custody != Custody.Taken && !kept.Contains(item))
            {
                Drop(item);
            }
        }
    }

    /// <summary>What the peer is told of unfinished objects. The connection is lost.</summary>
    public HeldObjects TellHeld() => Unfinished.Tell(Incomplete);

    /// <summary>
    /// There is a connection again. All ids below one that the peer has named have ended there: what has not come of them never will. And
    /// the receipts from there on are given again, since nobody knows which of them got lost.
    /// </summary>
    /// <returns>The receipts that are to be given again.</returns>
    public IEnumerable<(ReceiptStatus Status, IdRange Ids)> OnResumed(HelloFrame hello)
    {
        if (hello.LowestId > 0)
        {
            OnAbandon(0, hello.LowestId - 1);
        }

        if ((hello.Features & HelloFeatures.Offsets) == 0)
        {
            // It was not told, or did not understand: everything begins at its beginning.
            foreach (var item in Incomplete.Where(static item => item.Custody != Custody.Taken).ToArray())
            {
                Drop(item);
            }
        }

        return _receipts.From(hello.LowestId);
    }

    /// <summary>Forgets what came of an object. It has no end yet, so it is not resolved: its id is free for the copy to come.</summary>
    private void Drop(InboundObject item)
    {
        if (LetGo(item, null))
        {
            _arriving.Remove(item.Id);
            Unlink(item);
        }
    }

    /// <summary>Whether all ids below this one can have been given out.</summary>
    public bool IsPossible(long lowest) => lowest <= _ids.Ceiling;

    /// <summary>The copy that a new connection brings of an object that an earlier one has brought in part.</summary>
    private static InboundObject? GoOn(InboundObject item, in ObjectHeader header, object stream, out PostErrorCode violation)
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
