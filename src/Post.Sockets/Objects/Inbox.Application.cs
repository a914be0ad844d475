using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <content>What the application takes, and what it says about it.</content>
internal sealed partial class Inbox
{
    /// <summary>The header of an incremental object is here: the application may begin.</summary>
    public void OfferIfReady(InboundObject item)
    {
        if (item.IsGone || item.IsHanded || item.WaitsFor is not null || !(item.IsComplete || item.IsIncremental)
            || item.DeliverableIndex >= 0)
        {
            return;
        }

        if (item.HandlersBefore > 0)
        {
            _deliverable.HoldBack(item);
        }
        else
        {
            _deliverable.Add(item);
        }
    }

    /// <summary>Takes the next object for the application; this is the moment of delivery.</summary>
    public InboundObject? TakeDeliverable() => Take(isHandled: false);

    private InboundObject? Take(bool isHandled)
    {
        var now = core.Clock.Now;
        while (_deliverable.Count > 0)
        {
            var item = _deliverable.Peek;
            if (IsExpired(item, now))
            {
                Fail(item, ReceiptStatus.Expired, PostErrorCode.Expired);
                continue;
            }

            _deliverable.Remove(item);
            item.IsHanded = true;
            Uncharge(item);
            if (isHandled)
            {
                _handling.Add(item.Id, null);
            }

            if (item.IsComplete)
            {
                FinishHanded(item);
            }

            return item;
        }

        return null;
    }

    public void OnProcessed(InboundObject item)
    {
        lock (core.Gate)
        {
            if (item.HasReceipt || !item.IsHanded || core.Options.ReceiptLevel != ReceiptLevel.Processed || !item.IsComplete)
            {
                return;
            }

            _receipts.Give(item, ReceiptStatus.Processed);
        }

        core.Wake();
    }

    public void OnRejectedByApplication(InboundObject item)
    {
        lock (core.Gate)
        {
            if (item.HasReceipt || item.IsGone)
            {
                return;
            }

            Refuse(item);
        }

        core.Wake();
    }

    /// <summary>The application is through with an object; true when its memory can be returned by the caller.</summary>
    public bool OnDisposed(InboundObject item)
    {
        bool free;
        lock (core.Gate)
        {
            if (!item.HasReceipt && !item.IsGone)
            {
                Refuse(item);
            }

            free = !item.IsReading;
        }

        core.Wake();
        return free;
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
        core.Instruments.Received(item);
        if (core.Options.ReceiptLevel == ReceiptLevel.Delivered)
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
