using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Sending;

/// <summary>Gets the bytes of objects whose payload does not lie in one piece of memory. Part of the pump, and serial like it.</summary>
internal sealed class SourceFeeder(AssociationCore core, StreamWrites writes, Restarts restarts)
{
    /// <summary>Writes what the source of an object has now, or waits until it has something.</summary>
    public void Feed(OutboundObject item)
    {
        ReadOnlyMemory<byte> chunk;
        bool isLast;
        bool hasBytes;
        try
        {
            if (item.Source!.Position != item.Transit.PayloadTaken)
            {
                item.Source.MoveTo(item.Transit.PayloadTaken);
            }

            hasBytes = item.Source.TryPeek(item.Transit.IsVisible ? writes.Chunk : StreamWrites.CopyLimit, out chunk, out isLast);
        }
        catch (Exception exception)
        {
            Fail(item, exception);
            return;
        }

        StreamWrite? write = null;
        lock (core.Gate)
        {
            if (item.IsEnded || item.Transit.IsVoid)
            {
                restarts.LetGo(item);
                return;
            }

            if (!hasBytes)
            {
                // The entry keeps its turn; it comes back when the source has more.
                item.IsWaitingForSource = true;
            }
            else
            {
                write = item.Transit.IsVisible
                    ? writes.Prepare(item, chunk, null, chunk.Length, chunk.Length, isLast)
                    : writes.PrepareFirst(item, chunk.Span, isLast, fromSource: true);
            }
        }

        if (write is not null)
        {
            writes.Start(write);
        }
        else
        {
            _ = WaitAsync(item);
        }
    }

    /// <summary>Ends an object with what its source threw. Under the lock.</summary>
    public static void EndWithSource(AssociationCore core, OutboundObject item, Exception exception) => core.Outbox.End(
        item,
        ObjectOutcome.Failed,
        ObjectOutcomeReason.SourceFailed,
        new PostException(PostErrorReason.SourceFailed, $"The source of object {item.Id} failed: {exception.Message}", exception),
        AbandonReason.SourceFailed);

    private async Task WaitAsync(OutboundObject item)
    {
        try
        {
            await item.Source!.WaitAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Fail(item, exception);
            core.Wake();
            return;
        }

        lock (core.Gate)
        {
            item.IsWaitingForSource = false;
            if (restarts.LetGo(item))
            {
                core.Scheduler.Add(item.Entry);
            }
        }

        core.Wake();
    }

    private void Fail(OutboundObject item, Exception exception)
    {
        lock (core.Gate)
        {
            item.IsWaitingForSource = false;
            item.IsWriting = false;
            if (item.IsEnded)
            {
                restarts.LetGo(item);
                return;
            }

            EndWithSource(core, item, exception);
        }
    }
}
