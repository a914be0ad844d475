using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Sending;

/// <summary>Gets the bytes of objects whose payload does not lie in one piece of memory. By the owner.</summary>
internal sealed class SourceFeeder(AssociationState state, StreamWrites writes)
{
    /// <summary>Writes what the source of an object has now, or waits until it has something.</summary>
    public void Feed(OutboundObject item)
    {
        ReadOnlyMemory<byte> chunk;
        bool isLast;
        bool hasBytes;
        try
        {
            if (item.Source!.Position != item.Transmission.PayloadTaken)
            {
                item.Source.MoveTo(item.Transmission.PayloadTaken);
            }

            hasBytes = item.Source.TryPeek(item.Transmission.Form == TransmissionForm.Stream ? writes.Chunk : StreamWrites.CopyLimit, out chunk, out isLast);
        }
        catch (Exception exception)
        {
            EndWithSource(state, item, exception);
            return;
        }

        if (!hasBytes)
        {
            // The entry keeps its turn; it comes back when the source has more.
            item.Use = MemoryUse.Source;
            using (ExecutionContext.SuppressFlow())
            {
                _ = WaitAsync(item);
            }

            return;
        }

        writes.Start(item.Transmission.Form == TransmissionForm.Stream
            ? writes.Prepare(item, chunk, null, chunk.Length, chunk.Length, isLast)
            : writes.PrepareFirst(item, chunk.Span, isLast, fromSource: true));
    }

    /// <summary>Ends an object with what its source threw.</summary>
    public static void EndWithSource(AssociationState state, OutboundObject item, Exception exception) => state.Outbox.End(
        item,
        ObjectOutcome.Failed,
        ObjectOutcomeReason.SourceFailed,
        new PostException(PostErrorReason.SourceFailed, $"The source of object {item.Id} failed: {exception.Message}", exception),
        AbandonReason.SourceFailed);

    private async Task WaitAsync(OutboundObject item)
    {
        Exception? failure = null;
        try
        {
            await item.Source!.WaitAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        state.Owner.Post(new Message(
            static (target, answer, _) => ((SourceFeeder)target).OnAnswer((Answer)answer!), this, new Answer(item, failure)));
    }

    private void OnAnswer(Answer answer)
    {
        var item = answer.Item;
        if (answer.Failure is { } failure && !item.IsEnded)
        {
            item.Use = MemoryUse.Free;
            EndWithSource(state, item, failure);
        }
        else if (state.Outbox.Restarts.LetGo(item))
        {
            state.Scheduler.Add(item.Entry);
        }
    }

    private sealed record Answer(OutboundObject Item, Exception? Failure);
}
