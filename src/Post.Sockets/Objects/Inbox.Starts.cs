namespace Post.Sockets.Objects;

/// <content>Where objects with durable ids begin.</content>
internal sealed partial class Inbox
{
    /// <summary>The sender of an object waits for the application.</summary>
    public bool CanResume(InboundObject item)
    {
        lock (core.Gate)
        {
            return item.Start.IsOpen && !item.IsGone;
        }
    }

    public string DurableKeyOf(InboundObject item) => DurableKey.Of(core.Facts.Peer, item.DurableId.Span);

    /// <summary>The application reads an object from its beginning, unless it has said otherwise.</summary>
    public void OnReading(InboundObject item)
    {
        lock (core.Gate)
        {
            if (item.Start.IsOpen)
            {
                StartAt(item, 0);
            }
        }

        core.Wake();
    }

    /// <summary>The application has part of an object.</summary>
    public void OnResumeFrom(InboundObject item, long offset)
    {
        lock (core.Gate)
        {
            if (item.Start.IsOpen)
            {
                StartAt(item, offset);
            }
            else
            {
                throw new InvalidOperationException(
                    item.DurableId.IsEmpty ? "The object has no durable id: it can only begin at its beginning."
                    : "Where the object begins is settled: it is not incremental, or was read or resumed before.");
            }
        }

        core.Wake();
    }

    /// <summary>
    /// A new connection goes on with an object, and nobody reads what an earlier one has brought any more: it is certain how much that is.
    /// </summary>
    public void OnTakenOver(InboundObject item)
    {
        item.Skip = item.CopyOffset < 0 ? 0 : item.Received - item.CopyOffset;
        if (item.Start.Settle())
        {
            Answer(item);
        }
    }

    private void StartAt(InboundObject item, long offset)
    {
        item.BeginAt(offset);
        if (item.Start.Say() && !item.IsGone)
        {
            Answer(item);
        }
    }

    private void Answer(InboundObject item)
    {
        core.Carrier?.Frames.AddStart(item.Id, item.Received);
        core.Wake();
    }
}
