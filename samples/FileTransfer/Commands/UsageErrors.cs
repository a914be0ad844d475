using System.CommandLine;
using FileTransfer.Reporting;

namespace FileTransfer.Commands;

/// <summary>Tells what is wrong with a command line: to people with the usage, to programs as they asked for.</summary>
internal static class UsageErrors
{
    public static async Task<int> TellAsync(ParseResult parsed, string[] args)
    {
        // What the parser made of the options cannot be relied on here.
        if (args.TakeWhile(argument => argument != "--").Contains("--json"))
        {
            var reporter = new JsonReporter(Console.Out, Verbosity.Normal);
            foreach (var error in parsed.Errors)
            {
                reporter.Error(error.Message, ExitCode.Usage);
            }
        }
        else
        {
            await parsed.InvokeAsync();
        }

        return (int)ExitCode.Usage;
    }
}
