using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// What ties sent objects to their antecedents: who waits for whom to be handed over, and what urgency those that are waited for inherit.
/// </summary>
internal sealed class OutboundAntecedents(Outbox outbox, SendScheduler scheduler, ObjectEffects effects)
{
    private readonly Stack<OutboundObject> _lending = new();

    /// <summary>Ties a new object to what it names; true when one of those that it requires has failed already.</summary>
    public bool Link(OutboundObject item, ObjectProperties properties)
    {
        if (properties.Antecedents.Count == 0)
        {
            return false;
        }

        var doomed = false;
        var linked = new List<OutboundObject>(properties.Antecedents.Count);
        foreach (var antecedent in properties.Antecedents)
        {
            var earlier = (OutboundObject)antecedent;
            if (earlier.IsEnded && earlier.Outcome != ObjectOutcome.Acked && properties.AntecedentPolicy == AntecedentPolicy.Require)
            {
                doomed = true;
            }
            else if (earlier.Outcome != ObjectOutcome.Acked && !linked.Contains(earlier))
            {
                linked.Add(earlier);
            }
        }

        if (doomed || linked.Count == 0)
        {
            return doomed;
        }

        // The header wants them in descending order.
        linked.Sort(static (a, b) => b.Id.CompareTo(a.Id));
        item.Antecedents = [.. linked];
        foreach (var antecedent in linked)
        {
            (antecedent.Dependents ??= []).Add(item);
            if (!antecedent.HasReleased)
            {
                item.Unsent++;
            }
        }

        PassUrgencyOn(item);
        return false;
    }

    /// <summary>
    /// Checks what an application names: objects of this association, and no more of them without a receipt than a header can name. From any
    /// thread; while it looks, objects can only get their end.
    /// </summary>
    /// <exception cref="ArgumentException">One is not, or there are too many.</exception>
    public void Check(ObjectProperties properties)
    {
        var open = 0;
        for (var i = 0; i < properties.Antecedents.Count; i++)
        {
            var antecedent = properties.Antecedents[i];
            if (antecedent is not OutboundObject earlier || earlier.Box != outbox)
            {
                throw new ArgumentException(
                    "An antecedent must be an object that was sent by the same association.", nameof(properties));
            }

            open += earlier.Outcome == ObjectOutcome.Acked || IsNamedBefore(properties.Antecedents, i) ? 0 : 1;
        }

        if (open > ProtocolLimits.MaxAntecedents)
        {
            throw new ArgumentException(
                $"An object has at most {ProtocolLimits.MaxAntecedents} antecedents that are not acked, not {open}; chain them.",
                nameof(properties));
        }
    }

    /// <summary>Gives an object another niceness, and those that it waits for what they lend from it.</summary>
    public void Reprioritize(OutboundObject item, int niceness)
    {
        item.Niceness = niceness;

        // What it lent from dependents stays with it.
        var inherited = int.MaxValue;
        if (item.Dependents is { } dependents)
        {
            foreach (var dependent in dependents)
            {
                if (!dependent.IsEnded)
                {
                    inherited = Math.Min(inherited, dependent.Entry.Class);
                }
            }
        }

        Move(item, Math.Min(niceness, inherited), item.Entry.Deadline);
        PassUrgencyOn(item);
    }

    /// <summary>All of an object was handed over, or never will be: those that wait for that may go.</summary>
    public void Release(OutboundObject item)
    {
        if (item.HasReleased)
        {
            return;
        }

        // From here on a new dependent does not count it as unsent.
        item.HasReleased = true;
        if (item.Dependents is not { } dependents)
        {
            return;
        }

        foreach (var dependent in dependents)
        {
            if (--dependent.Unsent == 0 && !dependent.IsEnded)
            {
                scheduler.Add(dependent.Entry);
            }
        }
    }

    /// <summary>
    /// The connection is lost: an object waits again for all that it needs and that has no end. An antecedent must never be shut out by those
    /// that need it.
    /// </summary>
    public static void WaitAnew(OutboundObject item)
    {
        item.HasReleased = false;
        item.Unsent = item.Antecedents?.Count(static antecedent => !antecedent.IsEnded) ?? 0;
    }

    private static bool IsNamedBefore(IReadOnlyList<SentObject> antecedents, int index)
    {
        for (var i = 0; i < index; i++)
        {
            if (antecedents[i] == antecedents[index])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What waits lends its urgency to what it waits for, all the way down: else an urgent object waits for a nice one.</summary>
    private void PassUrgencyOn(OutboundObject item)
    {
        _lending.Push(item);
        while (_lending.TryPop(out var urgent))
        {
            foreach (var antecedent in urgent.Antecedents ?? [])
            {
                var more = urgent.Entry.Class < antecedent.Entry.Class
                    || (urgent.Entry.Class == antecedent.Entry.Class && urgent.Entry.Deadline < antecedent.Entry.Deadline);
                if (!antecedent.IsEnded && more)
                {
                    Move(antecedent, urgent.Entry.Class, urgent.Entry.Deadline);
                    _lending.Push(antecedent);
                }
            }
        }
    }

    private void Move(OutboundObject item, int sendClass, long deadline)
    {
        scheduler.Move(item.Entry, sendClass, deadline);
        if (item.Entry.IsParked)
        {
            // It may have a place in its new class; if not, it is parked there.
            item.Entry.IsParked = false;
            scheduler.Add(item.Entry);
        }

        if (item.Transmission.Stream is not null)
        {
            effects.ChangeRank(item);
        }
    }
}
