namespace Post.Sockets.Testing;

/// <summary>A round trip over a path that is new, or back: if it comes through, both ends may use the path.</summary>
internal sealed class InMemoryPathValidation(InMemoryPath path) : ClockEntry
{
    public void Schedule() => path.Network.Clock.Schedule(this, path.Network.Clock.NowTicks + path.RoundTripTicks);

    public override void Fire()
    {
        lock (path.Network.Gate)
        {
            if (path.ComesThrough)
            {
                Validate(path);
            }
            else
            {
                // It answers when it is up again.
                Fail(path.AtClient);
                Fail(path.AtServer);
            }
        }
    }

    public static void Validate(InMemoryPath path)
    {
        Validate(path.AtClient);
        Validate(path.AtServer);
    }

    private static void Fail(PathEnd end)
    {
        if (end.State == PostPathState.Suspect)
        {
            end.State = PostPathState.Failed;
            end.Owner.ReportPath(end, PostPathChange.Failed);
        }
    }

    private static void Validate(PathEnd end)
    {
        if (end.State is not (PostPathState.Validating or PostPathState.Suspect or PostPathState.Failed))
        {
            return;
        }

        InMemoryConnection owner = end.Owner;
        end.State = owner.StateInUse(end);
        end.OnAnswer(end.Path.RoundTripTicks);
        owner.Sender.OnPathAnswers(end);
        owner.ReportPath(end, PostPathChange.Validated);
        owner.Sender.Pump();
    }
}
