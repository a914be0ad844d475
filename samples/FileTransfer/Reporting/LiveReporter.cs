using Spectre.Console;
using Spectre.Console.Rendering;

namespace FileTransfer.Reporting;

/// <summary>A bar on a terminal; everything else as plain lines.</summary>
internal sealed class LiveReporter(TextWriter output, TextWriter error, Verbosity verbosity) : PlainReporter(output, error, verbosity)
{
    private IAnsiConsole? _live;

    // A line written beside the bar would be drawn over: the bar's own console puts it above.
    public override void Note(string text)
    {
        if (_live is { } live && !IsQuiet)
        {
            live.WriteLine(string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)));
        }
        else
        {
            base.Note(text);
        }
    }

    public override async Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work)
    {
        if (IsQuiet)
        {
            return await work();
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var activity = new Activity(progress);
        var column = new ActivityColumn();
        T? result = default;
        try
        {
            await console.Progress()
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn { Width = 20 }, new PercentageColumn(), column)
                .StartAsync(async context =>
                {
                    var bar = context.AddTask(Markup.Escape(title), maxValue: 1);
                    _live = console;
                    var working = work();
                    using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
                    while (await Task.WhenAny(working, timer.WaitForNextTickAsync().AsTask()) != working)
                    {
                        Update(bar, column, title, progress, activity.Describe());
                    }

                    result = await working;
                    Update(bar, column, title, progress, "done");
                    bar.Value = bar.MaxValue;
                    bar.StopTask();
                });
        }
        finally
        {
            _live = null;
        }

        return result!;
    }

    private static void Update(ProgressTask bar, ActivityColumn column, string title, TransferProgress progress, string activity)
    {
        bar.MaxValue = Math.Max(1, progress.Total);
        bar.Value = progress.Total > 0 ? progress.There : 0;
        column.Text = $"{ByteSizes.Format(progress.There)}, {activity}";
        bar.Description = Markup.Escape(progress.Files > 0 ? $"{title} {progress.FilesDone}/{progress.Files}" : title);
    }

    /// <summary>Shows what <see cref="Activity"/> says.</summary>
    private sealed class ActivityColumn : ProgressColumn
    {
        public string Text { get; set; } = string.Empty;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Spectre.Console.Text(Text).Overflow(Overflow.Ellipsis);
    }
}
