using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <content>What the application takes, and what it says about it.</content>
internal sealed partial class Inbox
{
    /// <summary>The header of an incremental object is here, or all of any: the application may begin.</summary>
    public void OfferIfReady(InboundObject item)
    {
        if (item.IsGone || item.WaitsFor is not null || !(item.IsComplete || item.IsIncremental)
            || item.Custody is Custody.Offered or Custody.Taken)
        {
            return;
        }

        if (item.HandlersBefore > 0)
        {
            Deliverable.HoldBack(item);
        }
        else
        {
            Deliverable.Add(item);
        }
    }

    /// <summary>The application has taken an object from <see cref="Deliverable"/>.</summary>
    public void OnTaken(InboundObject item, bool isHandled)
    {
        item.IsHanded = true;
        if (isHandled)
        {
            _handling.Add(item.Id, null);
        }

        if (item.IsGone)
        {
            return;
        }

        Uncharge(item);
        if (item.IsComplete)
        {
            FinishHanded(item);
        }
    }

    /// <summary>The application would have taken an object, and its lifetime was over.</summary>
    public void OnExpiredAtHand(InboundObject item) => Fail(item, ReceiptStatus.Expired, PostErrorCode.Expired);

    /// <summary>The application has dealt with an object.</summary>
    public void OnProcessed(InboundObject item)
    {
        if (!item.HasReceipt && item is { IsHanded: true, IsComplete: true } && WaitsForProcessing)
        {
            _receipts.Give(item, ReceiptStatus.Processed);
        }
    }

    /// <summary>The application does not want an object.</summary>
    public void OnRejectedByApplication(InboundObject item)
    {
        if (!item.HasReceipt && !item.IsGone)
        {
            Refuse(item);
        }
    }

    /// <summary>The application is through with an object.</summary>
    public void OnReleased(InboundObject item)
    {
        OnRejectedByApplication(item);
        if (!item.IsReading)
        {
            item.ReleaseBuffer();
        }
    }

    private void Refuse(InboundObject item)
    {
        if (item.IsComplete)
        {
            // Delivered and not wanted: what depends on it was told already that it came.
            _receipts.Give(item, ReceiptStatus.Refused);
        }
        else
        {
            Fail(item, ReceiptStatus.Refused, PostErrorCode.Refused);
        }
    }

    private void FinishHanded(InboundObject item)
    {
        _effects.CountDelivery(item);
        if (!WaitsForProcessing)
        {
            item.HasReceipt = true;
            Resolve(item.Id, failed: false, ReceiptStatus.Delivered, item.Came, item.WantsReceiptAtOnce);
        }
        else
        {
            Resolve(item.Id, failed: false, null, 0, false);
        }
    }
}
