namespace Post.Sockets.Objects;

/// <content>What handlers are at work on, and what waits until they have returned: no dependent is handled before its antecedents were.</content>
internal sealed partial class Inbox
{
    private readonly Dictionary<long, List<InboundObject>?> _handling = [];

    /// <summary>With one handler at a time, taking them in order is enough.</summary>
    public bool KeepsHandlersInOrder => _options is { HandlerConcurrency: > 1, HandlerOrder: HandlerOrder.AfterAntecedents };

    /// <summary>The handlers of an object have returned.</summary>
    public void OnHandled(InboundObject item)
    {
        if (!_handling.Remove(item.Id, out var waiters) || waiters is null)
        {
            return;
        }

        foreach (var waiter in waiters)
        {
            waiter.HandlersBefore--;
            OfferIfReady(waiter);
        }
    }

    private void WaitForHandlers(InboundObject item, ReadOnlySpan<long> antecedents)
    {
        if (_handling.Count == 0)
        {
            return;
        }

        foreach (var antecedent in antecedents)
        {
            WaitForHandler(item, antecedent);
        }
    }

    private void WaitForHandler(InboundObject item, long antecedent)
    {
        if (!_handling.TryGetValue(antecedent, out var waiters))
        {
            return;
        }

        if (waiters is null)
        {
            _handling[antecedent] = waiters = [];
        }

        waiters.Add(item);
        item.HandlersBefore++;
    }
}
