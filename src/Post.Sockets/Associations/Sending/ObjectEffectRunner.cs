using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Delivery;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>Carries out what the rules of objects have decided: on the transport, towards the peer, and for the application. By the owner.</summary>
internal sealed class ObjectEffectRunner(AssociationState state, CurrentConnection current, EventHub events)
{
    /// <summary>Carries out all there is.</summary>
    public void Run()
    {
        while (state.Effects.TryTake(out var effect))
        {
            Run(effect);
        }
    }

    private void Run(in ObjectEffect effect)
    {
        switch (effect.Kind)
        {
            case ObjectEffectKind.StopSending:
                StopSending((OutboundObject)effect.Subject!, effect.Code);
                break;
            case ObjectEffectKind.ReleaseStream:
                TransportCalls.Release((TransportStream)effect.Subject!);
                break;
            case ObjectEffectKind.StopReading:
                TransportCalls.StopReading((TransportStream)effect.Subject!, effect.Code);
                break;
            case ObjectEffectKind.ChangeRank:
                var ranked = (OutboundObject)effect.Subject!;
                TransportCalls.SetPriority((TransportStream?)ranked.Transmission.Stream, SendPriorities.OfStream(ranked));
                break;
            case ObjectEffectKind.Abandon:
                current.Value?.Frames.AddAbandon((AbandonReason)effect.Code, effect.Id);
                break;
            case ObjectEffectKind.GiveReceipt when !state.IsClosed:
                current.Value?.Frames.AddReceipt((ReceiptStatus)effect.Code, effect.Id, effect.Number, effect.AtOnce);
                break;
            case ObjectEffectKind.GiveStart:
                current.Value?.Frames.AddStart(effect.Id, effect.Number);
                break;
            case ObjectEffectKind.InterruptSource:
                Interrupt((ObjectSource)effect.Subject!);
                break;
            case ObjectEffectKind.ReleaseSource:
                ReleaseSource((OutboundObject)effect.Subject!);
                break;
            case ObjectEffectKind.TellState:
                ((OutboundObject)effect.Subject!).TellState();
                break;
            case ObjectEffectKind.Complete:
                Complete((OutboundObject)effect.Subject!);
                break;
            case ObjectEffectKind.CountDelivery:
                state.Metrics.Received((InboundObject)effect.Subject!);
                break;
            case ObjectEffectKind.Discard:
                Discard((InboundObject)effect.Subject!);
                break;
            case ObjectEffectKind.WarnOfAntecedent:
                state.Log.AntecedentNeverCame(((InboundObject)effect.Subject!).Id);
                break;
        }
    }

    private void StopSending(OutboundObject item, long code)
    {
        if (item.Transmission.Stream is TransportStream stream)
        {
            TransportCalls.Reset(stream, code, item.Transmission.HeaderLength);
        }
        else if (current.Value is { } connection)
        {
            connection.Transport.ResetSentStream(item.Id, code, item.Transmission.HeaderLength);
        }
    }

    private void Interrupt(ObjectSource source)
    {
        try
        {
            source.Interrupt();
        }
        catch (Exception exception)
        {
            // The object has its end already; what its source does about that changes nothing.
            state.Log.SourceInterruptFailed(exception);
        }
    }

    private void Complete(OutboundObject item)
    {
        if (!item.IsReleasePending)
        {
            ReleaseSource(item);
        }

        var elapsed = state.Clock.Span(state.Clock.Now - item.SentAt);
        var receipt = new Receipt(item, item.Outcome!.Value, item.Reason, item.Error, elapsed);
        state.Outbox.Room.Release(item);
        item.Publish(receipt);
        state.Metrics.Ended(item, receipt);
        state.Log.ObjectEnded(item.Id, receipt.Outcome, receipt.Reason, elapsed);
        item.TellEnd();
        events.OnObjectEnded(item, receipt);
    }

    private void ReleaseSource(OutboundObject item)
    {
        try
        {
            item.Source?.Release(item.Outcome == ObjectOutcome.Failed ? item.Error : null);
        }
        catch (Exception exception)
        {
            state.Log.SourceReleaseFailed(item.Id, exception);
        }
    }

    private static void Discard(InboundObject item)
    {
        if (item.Custody == Custody.Taken)
        {
            item.Pipe?.Writer.Complete(BrokenOff(item));
        }
        else
        {
            item.Discard(item.Pipe is null ? null : BrokenOff(item));
        }
    }

    /// <summary>What the reader of an object gets that will not be whole.</summary>
    private static PostException BrokenOff(InboundObject item) => new(
        PostErrorReason.ObjectExpired, $"Object {item.Id} ended before all of it had arrived: it expired, or its sender took it back.");
}
