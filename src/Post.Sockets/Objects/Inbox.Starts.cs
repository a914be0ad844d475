namespace Post.Sockets.Objects;

/// <content>Where objects with durable ids begin.</content>
internal sealed partial class Inbox
{
    /// <summary>The application says where an object begins.</summary>
    public void OnStartSaid(InboundObject item, long offset)
    {
        if (item.Start.IsOpen)
        {
            StartAt(item, offset);
        }
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

    private void Answer(InboundObject item) => _effects.GiveStart(item.Id, item.Received);
}
